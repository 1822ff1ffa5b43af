import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SqliteGallery } from '../../lib/adapters/gallery-store/gallery.ts'
import { createItemFiles } from '../../lib/adapters/inputs/item-files.ts'
import { createLedgerStore } from '../../lib/adapters/ledger/store.ts'
import { SqliteQueue } from '../../lib/adapters/queue/sqlite-queue.ts'
import type { Content } from '../../lib/domain/content.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { embedContents } from '../../lib/flows/embed-contents.ts'
import { createWorkCounts } from '../../lib/flows/ingest-counts.ts'
import type { LaneModel } from '../../lib/flows/ingest-lane.ts'
import { renderMessage } from '../../lib/flows/ingest-message.ts'
import { planRoom, workOff } from '../../lib/flows/ingest-work.ts'
import { type EmbeddingServer, EmbedError } from '../../lib/ports/embedding-server.ts'
import { rejectsWith } from '../support/errors.ts'
import { makeTempDir } from '../support/temp.ts'

test('fills batches that are larger than what is usually held', async () => {
  const place = await openPlace([{ batchItems: 6000 }])
  await place.send(9000)
  await place.work()
  assert.equal(
    place.sizes.toSorted((a, b) => b - a),
    [6000, 3000],
  )
  assert.is((await place.gallery.summarize()).items, 9000)
  await place.close()
})

test('asks every model, and once for each content, whoever has it', async () => {
  const place = await openPlace([{}, {}])
  await place.send(10, () => 'the same')
  await place.send(3, (index) => `other ${index}`, 'x')
  await place.work()
  assert.equal(
    place.sizes.reduce((sum, size) => sum + size, 0),
    2 * (1 + 3),
  )
  assert.is((await place.gallery.summarize()).items, 13)
  assert.is(place.counts.sameContent, 9)
  await place.close()
})

test('buries an item that one of the models refuses, and names the model', async () => {
  const place = await openPlace([{}, { refuse: 'text 3' }])
  await place.send(6)
  await place.work()
  assert.is((await place.gallery.summarize()).items, 5)
  const [letter, ...others] = await place.queue.listDead(10)
  assert.match(letter!.reason, /^m1 does not embed it: too strange/)
  assert.equal([others.length, place.counts.dead], [0, 1])
  await place.close()
})

test('keeps in the queue what was not embedded when a server stops, and the rest in the gallery', async () => {
  const place = await openPlace([{ batchItems: 10, stopAfter: 5 }])
  await place.send(200)
  await rejectsWith(place.work(), 'remote', /no quota/)
  const { items } = await place.gallery.summarize()
  assert.ok(items >= 50 && items < 200, `${items}`)
  const { waiting, held } = await place.queue.depth()
  assert.is(waiting + held, 200 - items)
  await place.close()
})

test('ends with the reason of an interruption', async () => {
  const place = await openPlace([{}])
  await place.send(20)
  const interrupt = new AbortController()
  interrupt.abort(new LongshoreError('interrupted', 'Ctrl-C'))
  await rejectsWith(place.work(interrupt.signal), 'interrupted')
  assert.is((await place.queue.depth()).waiting, 20)
  await place.close()
})

test.run()

type Behaviour = { readonly batchItems?: number; readonly refuse?: string; readonly stopAfter?: number }

/** Queue, gallery and models in a directory of their own. */
async function openPlace(behaviours: readonly Behaviour[]) {
  const directory = makeTempDir()
  const queue = new SqliteQueue({ path: join(directory, 'queue'), capacity: 100_000, holdMs: 600_000 })
  const gallery = new SqliteGallery({ path: join(directory, 'gallery'), files: join(directory, 'files') })
  const ledgers = createLedgerStore({ directory: join(directory, 'ledger'), owner: 'tester' })
  const sizes: number[] = []
  const models: LaneModel[] = []
  for (const [index, behaviour] of behaviours.entries()) {
    const ledger = await ledgers.share({ fingerprint: `sha256:${index}`, dimensions: 2 })
    const server = makeServer(behaviour, sizes)
    const { batchItems } = behaviour
    const extraction = { batchItems, inFlight: 2 }
    models.push({
      name: `m${index}`,
      ledger,
      embed: (run) => embedContents({ ...run, server, extraction, giveUpMs: 1000 }),
    })
  }
  const counts = createWorkCounts()
  return {
    ...{ queue, gallery, sizes, counts },
    async send(count: number, textOf = (index: number) => `text ${index}`, prefix = 'i') {
      const version = await gallery.reserveVersions(count)
      const messages = Array.from({ length: count }, (_, index) => {
        const id = `${prefix}${index}`
        return renderMessage({ id, version: version + index, item: { id, text: textOf(index) } })
      })
      assert.ok(await queue.publish(messages))
    },
    work: (signal = new AbortController().signal) =>
      workOff({
        ...{ queue, gallery, models, counts, signal, onProgress: () => undefined, isFilled: () => true },
        ...{ files: createItemFiles(), fetcher: { fetch: () => Promise.reject(new Error('no addresses')) } },
        room: planRoom(behaviours.map(({ batchItems }) => ({ batchItems }))),
        extendMs: 10_000,
      }),
    async close() {
      for (const { ledger } of models) await ledger.close()
      await gallery.close()
      await queue.close()
    },
  }
}

function makeServer({ refuse, stopAfter = Infinity }: Behaviour, sizes: number[]): EmbeddingServer {
  let calls = 0
  return {
    findProblem: async () => undefined,
    describe: async () => ({ limits: { items: 64 } }),
    async embed(contents: readonly Content[]) {
      if (++calls > stopAfter) throw new EmbedError('stop', 'no quota')
      if (contents.some((content) => content.kind === 'text' && content.text === refuse))
        throw new EmbedError('split', 'too strange')
      sizes.push(contents.length)
      return { vectors: new Float32Array(2 * contents.length).fill(1) }
    },
    close: async () => undefined,
  }
}
