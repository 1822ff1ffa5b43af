import type { DeclaredModel } from '../config/models.ts'
import type { Gallery } from '../ports/gallery-store.ts'
import type { Input } from '../ports/input.ts'
import type { OpenQueue } from '../ports/work-queue.ts'
import type { Answer, Context, FleetContext } from './context.ts'
import { findDeclaredModel, listModels } from './declared-models.ts'
import { fill, fillAndWorkOff } from './ingest-both.ts'
import { createWorkCounts, type WorkCounts } from './ingest-counts.ts'
import { tellDryRun } from './ingest-dry-run.ts'
import { indexGallery } from './ingest-index.ts'
import { closeLanes, openLanes } from './ingest-models.ts'
import { findNearDuplicates } from './ingest-near.ts'
import { createPublishCounts, type PublishCounts } from './ingest-publish.ts'
import { describeIngest, type IngestResult } from './ingest-words.ts'
import { planRoom } from './ingest-work.ts'

export type IngestRequest = {
  /** Files, directories, addresses, generations' directories, `-` for stdin; without any, what waits in the queue is worked off. */
  readonly sources: readonly string[]
  /** `NAME` or `NAME@VERSION` of the models to embed under; all that the profile declares by default. */
  readonly models?: readonly string[] | undefined
  /** The directory that the files of items lie in. */
  readonly files?: string | undefined
  /** Ids to take out of the gallery. */
  readonly remove?: readonly string[] | undefined
  /** Only fills the queue, for workers elsewhere on this machine. */
  readonly enqueue?: boolean | undefined
  /** Whether what was given up before is tried again. */
  readonly retryDead?: boolean | undefined
  /** Makes a generation of the gallery afterwards, and serves it. */
  readonly index?: boolean | undefined
  /** For the update to that generation. */
  readonly fleet?: FleetContext | undefined
}

/** How long a full queue may stay as it is. */
const GIVE_UP_MS = 60_000

/**
 * Brings items into the gallery: into the queue, embedded under every model, out of the queue once the gallery holds them.
 * Killed and run again, it goes on. Raises `remote` for a server or a disk that fails, and what indexing raises.
 */
export async function ingest(context: Context, request: IngestRequest): Promise<Answer> {
  const declared = chooseModels(context, request.models)
  const inputs = await openInputs(context, request.sources)
  if (context.dryRun) return await tellDryRun(context, { ...request, declared, inputs })
  const result = await takeIn(context, request, { declared, inputs })
  const isIdle = result.work.added + result.work.replaced + result.removed === 0
  const answer: Answer = {
    outcome: isIdle && result.publish.sent === 0 && result.work.dead === 0 ? 'nothing-to-do' : 'done',
    ...describeIngest(result),
  }
  if (!request.index) return answer
  const indexed = await indexGallery(context, { model: request.models?.[0], fleet: request.fleet ?? context })
  return {
    ...indexed,
    text: answer.outcome === 'nothing-to-do' ? indexed.text : `${answer.text}\n${indexed.text}`,
    json: { ...answer.json, ...indexed.json },
  }
}

function chooseModels({ profile }: Context, names: readonly string[] | undefined): DeclaredModel[] {
  if (names === undefined || names.length === 0) return listModels(profile)
  return names.map((name) => findDeclaredModel(profile, name))
}

async function openInputs({ ingestion }: Context, sources: readonly string[]): Promise<Input[]> {
  const inputs: Input[] = []
  for (const source of sources) inputs.push(await ingestion.sources.open(source))
  return inputs
}

type Intake = { readonly declared: readonly DeclaredModel[]; readonly inputs: readonly Input[] }

async function takeIn(context: Context, request: IngestRequest, intake: Intake): Promise<IngestResult> {
  const { ingestion } = context
  const begun = context.now()
  const queue = await ingestion.queues.open()
  try {
    const gallery = await ingestion.galleries.open()
    try {
      const removed = await removeItems(gallery, request.remove)
      if (request.retryDead) await queue.reviveDead()
      const moved = await moveItems(context, request, { ...intake, queue, gallery })
      const [summary, depth] = [await gallery.summarize(), await queue.depth()]
      const deadLetters = depth.dead > 0 ? await queue.listDead(MOST_LETTERS) : []
      return { ...moved, removed, summary, depth, deadLetters, tookMs: context.now() - begun }
    } finally {
      await gallery.close()
    }
  } finally {
    await queue.close()
  }
}

const NONE_NEAR = { looked: 0, pairs: [] }
/** Dead letters that are shown. */
const MOST_LETTERS = 20

async function removeItems(gallery: Gallery, ids: readonly string[] = []): Promise<number> {
  return ids.length === 0 ? 0 : await gallery.remove(ids, await gallery.reserveVersions(1))
}

type Stores = Intake & { readonly queue: OpenQueue; readonly gallery: Gallery }

async function moveItems(
  context: Context,
  { files, enqueue, retryDead }: IngestRequest,
  { declared, inputs, queue, gallery }: Stores,
): Promise<Pick<IngestResult, 'publish' | 'work' | 'embedding' | 'near'>> {
  const { profile, ingestion, itemFiles, reporter, signal } = context
  const [publish, work] = [createPublishCounts(), createWorkCounts()]
  const publishing = { queue, gallery, signal, giveUpMs: GIVE_UP_MS, files, counts: publish }
  if (enqueue) {
    await fill(publishing, inputs)
    return { publish, work, embedding: {}, near: NONE_NEAR }
  }
  const total = countRows(inputs)
  const lanes = await openLanes(context, declared, { retryDead })
  try {
    const runs = await fillAndWorkOff(publishing, inputs, {
      ...{ queue, gallery, signal, counts: work, models: lanes },
      ...{ files: itemFiles, fetcher: ingestion.fetcher },
      room: planRoom(declared.map(({ extraction }) => extraction)),
      extendMs: (1000 * profile.ingest.holdSeconds) / 3,
      onProgress: () =>
        reporter.progress({ task: 'ingest', done: countDone(publish, work), total, unit: 'rows' }),
    })
    const near = await findNearDuplicates(context, {
      declared: declared[0]!,
      ledger: lanes[0]!.ledger,
      items: work.newest,
    })
    const embedding = Object.fromEntries(lanes.map(({ name }, at) => [name, runs[at]!]))
    return { publish, work, embedding, near }
  } finally {
    await closeLanes(lanes)
  }
}

function countDone(publish: PublishCounts, work: WorkCounts): number {
  return publish.repeated + publish.rejected + work.added + work.replaced + work.repeated + work.dead
}

function countRows(inputs: readonly Input[]): number | undefined {
  const rows = inputs.map((input) => input.rows)
  return rows.includes(undefined) ? undefined : rows.reduce<number>((sum, count) => sum + count!, 0)
}
