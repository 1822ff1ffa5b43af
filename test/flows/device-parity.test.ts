import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseProfile } from '../../lib/config/load.ts'
import type { Content } from '../../lib/domain/content.ts'
import { findLeastCosine } from '../../lib/domain/device-parity.ts'
import type { Context } from '../../lib/flows/context.ts'
import { findDeclaredModel } from '../../lib/flows/declared-models.ts'
import { checkParity } from '../../lib/flows/device-parity.ts'
import { type EmbeddingServer, EmbedError } from '../../lib/ports/embedding-server.ts'
import { listEntries, vectorOf } from '../support/embed-run.ts'
import { raised } from '../support/raised.ts'

const TEXTS = Array.from({ length: 50 }, (_, index) => `text ${index + 10}`)
const LOCAL = `name: test
nodes: [{ name: node-1, host: one.example }]
model: { name: lexical-hash, version: "1", dimensions: 4, metric: cosine, normalized: true }
models:
  - { name: lengths, version: "1", dimensions: 2, metric: l2, normalized: false, extraction: { onnx: m, device: cpu } }
`
const SWARM = `${LOCAL}engine: swarm\nswarm: { managers: [node-1], image: "longshore:1" }\n`

type Settings = {
  readonly profile?: string
  /** How much a GPU turns every embedding, in radians. */
  readonly skew?: number
  readonly refused?: readonly string[]
  /** How many its Swarm offers; left out where there is none. */
  readonly gpus?: number
}

/** Two servers, of which that on the GPU is skewed. */
function makeWorld({ profile = LOCAL, skew = 0, refused = [], gpus }: Settings = {}) {
  const opened: string[] = []
  const notes: string[] = []
  const asked: string[] = []
  let closed = 0
  const openServer = async (_declared: unknown, device: string): Promise<EmbeddingServer> => {
    opened.push(device)
    return {
      findProblem: async () => undefined,
      describe: async () => ({ limits: {} }),
      async embed([content]) {
        const { text } = content as Content & { kind: 'text' }
        asked.push(`${device} ${text}`)
        if (refused.includes(text)) throw new EmbedError('split', 'too long')
        const [x = 0, y = 0] = vectorOf(text)
        const angle = Math.atan2(y, x) + (device === 'gpu' ? skew : 0)
        return { vectors: Float32Array.of(Math.cos(angle), Math.sin(angle)) }
      },
      close: async () => void closed++,
    }
  }
  const context = {
    profile: parseProfile(profile, 'test.yml'),
    reporter: { note: (note: string) => notes.push(note) },
    signal: new AbortController().signal,
    openServer,
    ...(gpus !== undefined && { workplace: { countGpus: async () => gpus } }),
  } as unknown as Context
  const declared = findDeclaredModel(context.profile, 'lengths')
  const check = (device: 'auto' | 'cpu' | 'gpu', texts = TEXTS) =>
    checkParity(context, { declared, device, source: listEntries(texts) })
  return { check, opened, notes, asked, closed: () => closed }
}

test('measures how alike both devices embed a sample before they are mixed, and tells it', async () => {
  const { check, opened, notes, asked, closed } = makeWorld({ skew: 0.01 })
  const parity = await check('gpu')
  assert.equal([parity?.device, parity?.usual, parity?.contents], ['gpu', 'cpu', 32])
  assert.ok(Math.abs(parity!.leastCosine - Math.cos(0.01)) < 1e-6)
  assert.equal([opened, closed(), asked.length], [['gpu', 'cpu'], 2, 64])
  assert.match(notes[0] ?? '', /lengths: on gpu and on cpu, 32 contents have a cosine of at least 0\.99995/)
})

test('refuses to mix devices that embed otherwise, and says where the limit is', async () => {
  const { check, closed } = makeWorld({ skew: 0.1 })
  const error = await raised('gate', check('gpu'))
  assert.match(error.message, /at least 0\.995004, expected 0\.999: nothing was embedded/)
  assert.match(error.hint ?? '', /--device cpu.*gates\.parity/)
  assert.equal([(error.answer.parity as { contents: number }).contents, closed()], [32, 2])
  const lenient = makeWorld({ skew: 0.1, profile: `${LOCAL}gates: { parity: 0.99 }\n` })
  assert.ok(await lenient.check('gpu'))
})

test('opens nothing where queries are embedded on the same device, or nothing is left to embed', async () => {
  const { check, opened } = makeWorld({ skew: 1 })
  assert.equal(
    [await check('auto'), await check('cpu'), await check('gpu', [])],
    [undefined, undefined, undefined],
  )
  assert.equal(opened, [])
})

test('measures in a Swarm whenever a run gets a GPU that queries do not have', async () => {
  const profile = SWARM.replace('device: cpu', 'device: auto')
  const { check, opened } = makeWorld({ profile, gpus: 1 })
  assert.is((await check('auto'))?.device, 'gpu')
  assert.is((await check('gpu'))?.device, 'gpu')
  assert.is(await check('cpu'), undefined)
  assert.equal(opened, ['auto', 'cpu', 'gpu', 'cpu'])
  assert.is(await makeWorld({ profile, gpus: 0 }).check('auto'), undefined)
})

test('leaves out what the model refuses', async () => {
  const some = makeWorld({ refused: TEXTS.slice(0, 30) })
  assert.is((await some.check('gpu'))?.contents, 2)
  const all = makeWorld({ refused: TEXTS })
  assert.is(await all.check('gpu'), undefined)
  assert.match(all.notes[0] ?? '', /no content of 32 says/)
})

test('takes the worst content for all, and none for alike where one has no direction', () => {
  const rows = Float32Array.of(1, 0, 0, 2)
  assert.is(findLeastCosine(rows, Float32Array.of(3, 0, 0, 1), 2), 1)
  assert.is(findLeastCosine(rows, Float32Array.of(1, 0, 1, 0), 2), 0)
  assert.is(findLeastCosine(rows, new Float32Array(4), 2), 0)
})

test.run()
