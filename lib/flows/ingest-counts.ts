import type { Addition } from '../ports/gallery-store.ts'
import type { Job } from './ingest-round.ts'

/** Items whose content another item has too are shown up to so many. */
const MOST_SHOWN = 20

/** New items that are compared with others: so many are searched for in a second or two. */
const MOST_COMPARED = 256

/** An item that came into the gallery, and the hash of what was embedded of it. */
export type NewItem = { readonly id: string; readonly hash: Uint8Array }

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
  /** The first of those that were added or replaced, and have a content of their own. */
  readonly newest: NewItem[]
}

export function createWorkCounts(): WorkCounts {
  return { added: 0, replaced: 0, repeated: 0, dead: 0, sameContent: 0, pairs: [], newest: [] }
}

/** Counts what was settled together. */
export function addSettled(
  counts: WorkCounts,
  jobs: readonly Job[],
  { additions, dead }: { readonly additions: readonly Addition[]; readonly dead: number },
): void {
  counts.dead += dead
  for (const [index, { state, sameAs }] of additions.entries()) {
    const { sent, ready } = jobs[index]!
    if (state === 'added' || state === 'replaced') {
      counts[state]++
      if (sameAs === undefined && counts.newest.length < MOST_COMPARED)
        counts.newest.push({ id: sent.id, hash: ready.hash })
    } else counts.repeated++
    if (sameAs === undefined) continue
    counts.sameContent++
    if (counts.pairs.length < MOST_SHOWN) counts.pairs.push({ id: sent.id, sameAs })
  }
}
