import { LongshoreError } from '../domain/errors.ts'
import { readGalleryRevision } from '../domain/gallery-revision.ts'
import type { GenerationRef } from '../domain/generation.ts'
import type { Context, FleetContext } from './context.ts'

/** How far serving is behind what was sent. */
export type Freshness = {
  /** Items that the gallery holds. */
  readonly items: number
  /** Changes of the gallery, and items on their way into it, that the generation in service does not have. */
  readonly unserved: number
  readonly waiting: number
  readonly dead: number
  /** ISO 8601; null where everything is served. */
  readonly oldestUnserved: string | null
  readonly ageSeconds: number
}

type Observed = Pick<FleetContext, 'generations' | 'now' | 'reporter'> & Partial<Pick<Context, 'ingestion'>>

/** Null where nothing was ever ingested on this machine, or, with a note, where that cannot be read. */
export async function observeFreshness(
  context: Observed,
  served: GenerationRef | null,
): Promise<Freshness | null> {
  try {
    return await readFreshness(context, served)
  } catch (error) {
    if (!(error instanceof LongshoreError)) throw error
    context.reporter.note(`the gallery cannot be read: ${error.message}`)
    return null
  }
}

async function readFreshness(
  { generations, ingestion, now }: Observed,
  served: GenerationRef | null,
): Promise<Freshness | null> {
  if (!ingestion || !(await ingestion.galleries.exists())) return null
  const isHere = served !== null && (await generations.list()).includes(served.name)
  const source = isHere ? (await generations.read(served.name)).source : undefined
  const revision = (source && readGalleryRevision(source)) ?? 0
  const [gallery, queue] = [await ingestion.galleries.open(), await ingestion.queues.open()]
  try {
    const [{ items }, behind, depth] = [
      await gallery.summarize(),
      await gallery.findOldestAfter(revision),
      await queue.depth(),
    ]
    const oldest = Math.min(behind?.sentAt ?? Infinity, depth.oldestSentAt ?? Infinity)
    return {
      items,
      unserved: (behind?.changes ?? 0) + depth.waiting + depth.held,
      waiting: depth.waiting + depth.held,
      dead: depth.dead,
      oldestUnserved: oldest === Infinity ? null : new Date(oldest).toISOString(),
      ageSeconds: oldest === Infinity ? 0 : Math.max(0, Math.round((now() - oldest) / 1000)),
    }
  } finally {
    await queue.close()
    await gallery.close()
  }
}

export function renderFreshness({ items, unserved, dead, ageSeconds }: Freshness): string {
  const behind =
    unserved === 0 ? 'all of them served' : `${unserved} changes not served, the oldest for ${ageSeconds} s`
  return `${items} items, ${behind}${dead > 0 ? `, ${dead} dead letters` : ''}`
}
