import { resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { extractionSchema } from '../../lib/config/extraction-schema.ts'
import { modelImageName } from '../../lib/domain/model-image.ts'
import type { Step } from '../../lib/domain/plan.ts'
import { type ImageContext, image } from '../../lib/flows/image.ts'
import type { ImageStore } from '../../lib/ports/image-store.ts'
import type { RemoteShell } from '../../lib/ports/remote-shell.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { raised } from '../support/raised.ts'

const NAME = 'longshore:0123456789ab'
const SOURCE = { kind: 'base', image: 'node:24-slim' } as const

type World = {
  readonly context: ImageContext
  /** Everything done, in order. */
  readonly done: string[]
}

type Settings = {
  readonly isBuilt?: boolean
  readonly held?: readonly string[]
  readonly broken?: readonly string[]
  readonly dryRun?: boolean
}

function makeWorld({ isBuilt = false, held = [], broken = [], dryRun = false }: Settings = {}): World {
  const done: string[] = []
  const images: ImageStore = {
    identify: async () => NAME,
    has: async () => isBuilt,
    build: async (name, source) => {
      const parts = source.kind === 'model' ? [source.model.name, 'in', source.root, 'on', source.image] : []
      done.push(parts.length > 0 ? `build ${name} of ${parts.join(' ')}` : `build ${name}`)
    },
    async *read(name) {
      yield Buffer.from(`archive of ${name}`)
    },
    push: async (name, as) => void done.push(`push ${name} as ${as}`),
  }
  const shell: RemoteShell = {
    async run(node, argv, { stdin }) {
      if (argv[1] === 'image') return { code: 0, stdout: held.includes(node) ? 'abc\n' : '', stderr: '' }
      const bytes = await buffer(stdin as AsyncIterable<Uint8Array>)
      if (broken.includes(node)) return { code: 1, stdout: '', stderr: 'no space left on device' }
      done.push(`load ${bytes} on ${node}`)
      return { code: 0, stdout: '', stderr: '' }
    },
    close: async () => undefined,
  }
  return { context: { ...new FakeFleet([]).context({ dryRun }), images, shell }, done }
}

test('builds the image once and brings it to the nodes that lack it', async () => {
  const { context, done } = makeWorld({ held: ['node-2'] })
  const { outcome, json } = await image(context, { source: SOURCE })
  assert.is(outcome, 'done')
  assert.equal(done, [`build ${NAME}`, `load archive of ${NAME} on node-1`])
  assert.equal(json.nodes, [
    { name: 'node-2', image: NAME, state: 'held' },
    { name: 'node-1', image: NAME, state: 'delivered' },
  ])
  assert.match((json.plan as Step[])[0]!.cause, 'does not have the image')
})

test('has nothing to do where the image is built and everywhere', async () => {
  const { context, done } = makeWorld({ isBuilt: true, held: ['node-1', 'node-2'] })
  assert.is((await image(context, { source: SOURCE })).outcome, 'nothing-to-do')
  assert.equal(done, [])
})

test('builds and brings nothing in a dry run', async () => {
  const { context, done } = makeWorld({ dryRun: true })
  const { plan } = await image(context, { source: SOURCE })
  assert.is(plan?.steps.length, 2)
  assert.equal(done, [])
})

test('brings the image to the other nodes when one cannot take it, and names that one', async () => {
  const { context, done } = makeWorld({ isBuilt: true, broken: ['node-1'] })
  const error = await raised('partial', image(context, { source: SOURCE }))
  assert.match(error.message, `node-1: ${NAME}: docker load failed: no space left on device`)
  assert.equal(done, [`load archive of ${NAME} on node-2`])
})

test('builds an image with each ONNX model on that of the services, and brings both', async () => {
  const { context, done } = makeWorld({ isBuilt: false, held: ['node-2'] })
  const { profile } = context
  const extraction = extractionSchema.parse({ onnx: 'models/words' })
  const models = [{ ...profile.model, name: 'words', fingerprint: 'sha256:aa', extraction }]
  const withModel = { ...context, profile: { ...profile, models } }
  const { json, text } = await image(withModel, { source: SOURCE })
  const own = modelImageName(NAME, { fingerprint: 'sha256:aa' })
  assert.match(own, /^longshore:0123456789ab-[0-9a-f]{8}$/)
  assert.equal(done, [
    `build ${NAME}`,
    `build ${own} of words in ${resolve('models/words')} on ${NAME}`,
    `load archive of ${NAME} on node-1`,
    `load archive of ${own} on node-1`,
  ])
  assert.equal([json.image, json.models], [NAME, [own]])
  assert.match(text, `${NAME}, ${own} are on 2 nodes`)
  done.length = 0
  const pushed = await image(withModel, { source: SOURCE, push: 'registry.example/longshore' })
  assert.equal(pushed.json.models, [own.replace('longshore:', 'registry.example/longshore:')])
})

test('pushes to a registry under the same digits, and brings it to no node', async () => {
  const { context, done } = makeWorld({ isBuilt: true })
  const { json } = await image(context, { source: SOURCE, push: 'registry.example:5000/longshore' })
  assert.equal(done, [`push ${NAME} as registry.example:5000/longshore:0123456789ab`])
  assert.is(json.image, 'registry.example:5000/longshore:0123456789ab')
})

test.run()
