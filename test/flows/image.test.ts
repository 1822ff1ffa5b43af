import { buffer } from 'node:stream/consumers'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
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
    build: async (name) => void done.push(`build ${name}`),
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
    { name: 'node-2', state: 'held' },
    { name: 'node-1', state: 'delivered' },
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
  assert.match(error.message, 'node-1: docker load failed: no space left on device')
  assert.equal(done, [`load archive of ${NAME} on node-2`])
})

test('pushes to a registry under the same digits, and brings it to no node', async () => {
  const { context, done } = makeWorld({ isBuilt: true })
  const { json } = await image(context, { source: SOURCE, push: 'registry.example:5000/longshore' })
  assert.equal(done, [`push ${NAME} as registry.example:5000/longshore:0123456789ab`])
  assert.is(json.image, 'registry.example:5000/longshore:0123456789ab')
})

test.run()
