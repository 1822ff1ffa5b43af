import type { GallerySummary } from '../ports/gallery-store.ts'
import type { DeadLetter, QueueDepth } from '../ports/work-queue.ts'
import type { EmbedCounts } from './embed-contents-counts.ts'
import type { WorkCounts } from './ingest-counts.ts'
import { parseMessage } from './ingest-message.ts'
import type { NearDuplicates } from './ingest-near.ts'
import type { PublishCounts } from './ingest-publish.ts'
import { describeWork } from './reembed-words.ts'

/** What came of one run. */
export type IngestResult = {
  readonly publish: PublishCounts
  readonly work: WorkCounts
  /** How each model was asked. */
  readonly embedding: Readonly<Record<string, EmbedCounts>>
  readonly near: NearDuplicates
  readonly removed: number
  readonly summary: GallerySummary
  readonly depth: QueueDepth
  /** The newest of them. */
  readonly deadLetters: readonly DeadLetter[]
  readonly tookMs: number
}

const MOST_TOLD = 5
const MOST_SHOWN = 20

/** A run for people, and for `--json`. */
export function describeIngest(result: IngestResult): { text: string; json: Record<string, unknown> } {
  const { publish, work, embedding, near, removed, summary, depth, tookMs } = result
  const repeated = publish.repeated + work.repeated
  const accepted = work.added + work.replaced
  const letters = result.deadLetters.map(({ body, reason }) => ({ id: nameLetter(body), reason }))
  const text = [
    `${accepted} accepted${work.replaced > 0 ? ` (${work.replaced} in place of former ones)` : ''}` +
      `, ${repeated} were there already${removed > 0 ? `, ${removed} taken out` : ''}` +
      `${work.dead + publish.rejected > 0 ? `, ${work.dead + publish.rejected} refused` : ''}`,
    ...Object.entries(embedding).map(([name, counts]) => `${name}: ${describeWork(counts)}`),
    ...describeSame(work),
    ...describeNear(near),
    ...publish.rejects
      .slice(0, MOST_TOLD)
      .map(({ source, row, reason }) => `${source}, row ${row}: ${reason}`),
    ...describeLetters(letters, depth.dead),
    `the gallery holds ${summary.items} items${describeRest(depth)}`,
  ]
  return {
    text: text.join('\n'),
    json: {
      accepted,
      added: work.added,
      replaced: work.replaced,
      repeated,
      removed,
      duplicates: {
        exact: work.sameContent,
        pairs: work.pairs,
        near: near.pairs.length,
        nearPairs: near.pairs.slice(0, MOST_SHOWN),
        looked: near.looked,
      },
      rejected: publish.rejected,
      rejects: publish.rejects,
      dead: work.dead,
      deadLetters: { total: depth.dead, newest: letters },
      queue: { waiting: depth.waiting, held: depth.held },
      gallery: summary,
      embedding,
      itemsPerSecond: Math.round((1000 * accepted) / Math.max(1, tookMs)),
    },
  }
}

function describeSame({ sameContent, pairs }: WorkCounts): string[] {
  if (sameContent === 0) return []
  const shown = pairs.slice(0, MOST_TOLD).map(({ id, sameAs }) => `${id} is the same as ${sameAs}`)
  return [`${sameContent} have the content of another id: ${shown.join(', ')}`]
}

function describeNear({ looked, pairs }: NearDuplicates): string[] {
  if (pairs.length === 0) return []
  const shown = pairs
    .slice(0, MOST_TOLD)
    .map(({ id, sameAs, score }) => `${id} and ${sameAs} (${score.toFixed(3)})`)
  return [
    `${pairs.length} of ${looked} new ones that were compared are nearly the same as another: ${shown.join(', ')}`,
  ]
}

function describeLetters(letters: readonly { id: string; reason: string }[], total: number): string[] {
  if (total === 0) return []
  const shown = letters.slice(0, MOST_TOLD).map(({ id, reason }) => `  ${id}: ${reason}`)
  return [`${total} dead letters; --retry-dead tries them again`, ...shown]
}

function describeRest({ waiting, held }: QueueDepth): string {
  if (waiting + held === 0) return ''
  return `; ${waiting} wait in the queue${held > 0 ? `, ${held} are with other workers` : ''}`
}

function nameLetter(body: string): string {
  try {
    return parseMessage(body).id
  } catch {
    return body.slice(0, 80)
  }
}
