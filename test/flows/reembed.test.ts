import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openInput } from '../../lib/adapters/inputs/open-input.ts'
import type { Context } from '../../lib/flows/context.ts'
import { reembed } from '../../lib/flows/reembed.ts'
import type { ReembedRequest } from '../../lib/flows/remake.ts'
import { EmbedError } from '../../lib/ports/embedding-server.ts'
import { type Behave, createFakeServer, DIMENSIONS, describeTexts } from '../support/embed-run.ts'
import { FakeLedger } from '../support/fakes/ledger.ts'
import { raised } from '../support/raised.ts'
import { makeInput, makeSplitContext } from '../support/split.ts'
import { makeTempDir } from '../support/temp.ts'

const SETTINGS = `models:
  - { name: lengths, version: "1", dimensions: ${DIMENSIONS}, metric: l2, normalized: false }
split: { clusters: 1, goldenQueries: 5 }
gates: { duplicates: 1, rejects: 0.2, model: 0 }
`
const TEXTS = Array.from({ length: 40 }, (_, index) => `text ${index} ${'x'.repeat(index % 7)}`)

/** An operator's machine with a gallery of these texts in a file, and a server that behaves as told. */
async function makeWorld(texts: readonly string[] = TEXTS, behave?: Behave) {
  const directory = makeTempDir()
  const from = join(directory, 'gallery.jsonl')
  await writeFile(from, texts.map((text, index) => `${JSON.stringify({ id: `${index}`, text })}\n`).join(''))
  const unused = makeInput({ items: [], vectors: null })
  const { context, notes } = makeSplitContext(join(directory, 'dgs'), unused, SETTINGS)
  const { server, calls } = createFakeServer(behave, { limits: { items: 8 } })
  const ledger = new FakeLedger(DIMENSIONS)
  const seen = { opened: 0, closedServers: 0, closedLedgers: 0 }
  const whole = {
    ...context,
    inputs: { ...context.inputs, open: openInput },
    ledgers: { open: async () => Object.assign(ledger, { close: async () => void seen.closedLedgers++ }) },
    embedderOf: async () => null,
    openServer: async () => {
      seen.opened++
      return { ...server, close: async () => void seen.closedServers++ }
    },
  } as unknown as Context
  const run = (request: Partial<ReembedRequest> = {}, overrides: Partial<Context> = {}) =>
    reembed({ ...whole, ...overrides }, { model: 'lengths', device: 'auto', from, ...request })
  return { run, calls, ledger, seen, notes, generations: context.generations, from }
}

test('makes a generation of a gallery under another model, and answers what it took', async () => {
  const { run, calls, ledger, seen, generations } = await makeWorld()
  const { outcome, json, text } = await run()
  assert.is(outcome, 'done')
  assert.equal(
    describeTexts(TEXTS, ledger),
    TEXTS.map(() => 'embedded'),
  )
  assert.equal([json.generation, json.items, json.model], ['dg_1', 40, 'lengths'])
  const { items, calls: told } = json.embedding as { items: number; calls: number }
  assert.equal([items, told], [40, calls.length])
  assert.match(text, /lengths: 40 items.*40 embedded by \d+ calls/)
  const { model } = await generations.read('dg_1')
  assert.equal([model.name, model.dimensions, model.metric], ['lengths', DIMENSIONS, 'l2'])
  assert.equal(seen, { opened: 1, closedServers: 1, closedLedgers: 1 })
})

test('makes no call for a gallery that is known, and no second generation of it', async () => {
  const { run, calls } = await makeWorld()
  const first = await run()
  const before = calls.length
  const again = await run()
  assert.is(again.outcome, 'nothing-to-do')
  assert.is(calls.length, before)
  assert.equal([again.json.generation, again.json.digest], [first.json.generation, first.json.digest])
  assert.match(again.text, 'no call to the model')
})

test('goes on where a run ended, and makes of it what an uninterrupted run does', async () => {
  const uninterrupted = await makeWorld()
  await uninterrupted.run()
  const stopsOnce: Behave = (_texts, call) => {
    if (call === 3) throw new EmbedError('stop', 'out of quota')
  }
  const { run, seen, ledger, generations } = await makeWorld(TEXTS, stopsOnce)
  const error = await raised('remote', run())
  assert.match(error.message, 'out of quota')
  assert.match(error.hint ?? '', 'same command again')
  assert.equal([seen.closedServers, seen.closedLedgers], [1, 1])
  assert.equal(await generations.list(), [])
  const done = ledger.size
  assert.ok(done > 0 && done < TEXTS.length, `${done} were embedded`)
  const { json } = await run()
  assert.is((json.embedding as { items: number }).items, TEXTS.length - done)
  const expected = await uninterrupted.generations.read('dg_1')
  assert.is((await generations.read('dg_1')).digest, expected.digest)
})

test('leaves out what the model refuses, does not ask for it again, and tries again when it is told to', async () => {
  let isStrict = true
  const refuses: Behave = (texts) => {
    if (isStrict && texts.includes(TEXTS[5]!)) throw new EmbedError('split', 'too long')
  }
  const { run, calls, ledger } = await makeWorld(TEXTS, refuses)
  const { json } = await run()
  assert.is(json.items, 39)
  assert.match(describeTexts([TEXTS[5]!], ledger)[0] ?? '', 'too long')
  const before = calls.length
  assert.is((await run()).outcome, 'nothing-to-do')
  assert.is(calls.length, before)
  isStrict = false
  const again = await run({ retryDead: true, generation: 'dg_2' })
  assert.is(again.json.items, 40)
  assert.equal(calls.slice(before), [[TEXTS[5]!]])
})

test('only tells in a dry run how much there is to embed', async () => {
  const { run, calls, ledger, seen, generations } = await makeWorld([...TEXTS, TEXTS[0]!])
  const { text, json } = await run({}, { dryRun: true })
  assert.match(text, '40 of 41 contents are to be embedded under lengths')
  assert.match(text, '1 repeat another')
  assert.is((json.embedding as { missing: number }).missing, 40)
  assert.equal([calls.length, ledger.size, seen.opened, seen.closedLedgers], [0, 0, 0, 1])
  assert.equal(await generations.list(), [])
})

test('takes the newest generation under another model where no gallery is named, and makes none of its own again', async () => {
  const { run, generations } = await makeWorld()
  await raised('not-found', run({ from: undefined }))
  await raised('not-found', run({ from: 'dg_7' }))
  await run()
  const error = await raised('not-found', run({ from: undefined }))
  assert.match(error.message, 'no generation under another model than lengths')
  assert.equal(await generations.list(), ['dg_1'])
  const { json } = await run({ from: undefined, model: 'toy' }, { dryRun: true })
  assert.is((json.embedding as { items: number }).items, 40)
})

test('refuses a model that the profile does not declare before it opens anything', async () => {
  const { run, seen } = await makeWorld()
  await raised('not-found', run({ model: 'unheard-of' }))
  await raised('usage', run({ model: undefined }))
  assert.equal(seen, { opened: 0, closedServers: 0, closedLedgers: 0 })
})

test.run()
