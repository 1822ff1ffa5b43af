/** Takes a file in as the command does, and tells how fast it was and what the gallery holds: a process of its own. */
import { join } from 'node:path'
import { createEmbeddingServer } from '../../lib/adapters/embed/create-server.ts'
import { SqliteGallery } from '../../lib/adapters/gallery-store/gallery.ts'
import { GALLERY_FILE } from '../../lib/adapters/gallery-store/store.ts'
import { createItemFiles } from '../../lib/adapters/inputs/item-files.ts'
import { openInput } from '../../lib/adapters/inputs/open-input.ts'
import { createLedgerStore } from '../../lib/adapters/ledger/store.ts'
import { SqliteQueue } from '../../lib/adapters/queue/sqlite-queue.ts'
import { embedContents } from '../../lib/flows/embed-contents.ts'
import { fillAndWorkOff } from '../../lib/flows/ingest-both.ts'
import { createWorkCounts } from '../../lib/flows/ingest-counts.ts'
import type { LaneModel } from '../../lib/flows/ingest-lane.ts'
import { createPublishCounts } from '../../lib/flows/ingest-publish.ts'
import { planRoom } from '../../lib/flows/ingest-work.ts'
import type { SourceItem } from '../../lib/ports/input.ts'

export type TakeIn = {
  readonly url: string
  readonly dimensions: number
  readonly file: string
  /** Holds queue, gallery and ledger. */
  readonly directory: string
}

export type Taken = {
  readonly itemsPerSecond: number
  readonly calls: number
  /** Of the gallery, as a generation reads it. */
  readonly rows: number
  readonly distinct: number
}

const { signal } = new AbortController()

process.on('message', async (task: TakeIn) => {
  process.send?.(await takeIn(task))
})

async function takeIn(task: TakeIn): Promise<Taken> {
  const begun = performance.now()
  const places = { path: join(task.directory, GALLERY_FILE), files: join(task.directory, 'files') }
  const queue = new SqliteQueue({ path: join(task.directory, 'queue'), capacity: 20_000, holdMs: 60_000 })
  const gallery = new SqliteGallery(places)
  const { model, close } = await openModel(task)
  const publish = createPublishCounts()
  const runs = await fillAndWorkOff(
    { queue, gallery, signal, giveUpMs: 60_000, counts: publish },
    [await openInput(task.file)],
    {
      ...{ queue, gallery, signal, models: [model], counts: createWorkCounts(), onProgress: () => undefined },
      ...{
        files: createItemFiles(),
        fetcher: { fetch: () => Promise.reject(new Error('no addresses here')) },
      },
      extendMs: 20_000,
      room: planRoom([]),
    },
  )
  await close()
  await gallery.close()
  await queue.close()
  const itemsPerSecond = (1000 * publish.read) / (performance.now() - begun)
  return { itemsPerSecond, calls: runs[0]!.calls, ...(await countItems(places.path)) }
}

async function openModel({ url, dimensions, directory }: TakeIn) {
  const store = createLedgerStore({ directory: join(directory, 'ledger'), owner: 'bench' })
  const ledger = await store.share({ fingerprint: 'sha256:bench', dimensions })
  const server = createEmbeddingServer({
    endpoints: () => [url],
    model: { name: 'm', dimensions, normalized: true },
    extraction: { protocol: 'tf-serving' },
    timeoutMs: 60_000,
  })
  const model: LaneModel = { name: 'm', ledger, embed: (run) => embedContents({ ...run, server }) }
  const close = async () => {
    await server.close()
    await ledger.close()
  }
  return { model, close }
}

async function countItems(path: string): Promise<Pick<Taken, 'rows' | 'distinct'>> {
  const input = await openInput(path)
  const ids = new Set<string>()
  let rows = 0
  for await (const { items } of input.read(signal)) {
    rows += items.length
    for (const { id } of items as readonly SourceItem[]) ids.add(id!)
  }
  return { rows, distinct: ids.size }
}
