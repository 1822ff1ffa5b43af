import type { Addition } from '../ports/gallery-store.ts'
import type { Job } from './ingest-round.ts'

/** Items whose content another item has too are shown up to so many. */
const MOST_SHOWN = 20

/** What workers made of messages. */
export type WorkCounts = {
  /** Items that are new in the gallery. */
  added: number
  /** Items of an id that it held with something else. */
  replaced: number
  /** Items that it held just so, or that a later sending came before. */
  repeated: number
  /** Items that did not become part of it. */
  dead: number
  /** Items that have the content of another id; the first of them in `pairs`. */
  sameContent: number
  readonly pairs: { readonly id: string; readonly sameAs: string }[]
}

export function createWorkCounts(): WorkCounts {
  return { added: 0, replaced: 0, repeated: 0, dead: 0, sameContent: 0, pairs: [] }
}

/** Counts what was settled together. */
export function addSettled(
  counts: WorkCounts,
  jobs: readonly Job[],
  { additions, dead }: { readonly additions: readonly Addition[]; readonly dead: number },
): void {
  counts.dead += dead
  for (const [index, { state, sameAs }] of additions.entries()) {
    if (state === 'added' || state === 'replaced') counts[state]++
    else counts.repeated++
    if (sameAs === undefined) continue
    counts.sameContent++
    if (counts.pairs.length < MOST_SHOWN) counts.pairs.push({ id: jobs[index]!.sent.id, sameAs })
  }
}
