/** One neighbour of a query: a row of a shard. */
export type Match = { readonly shard: number; readonly row: number; readonly score: number }

/** Better first; among equals the one that stands first in the generation. */
export function compareMatches(a: Match, b: Match): number {
  return b.score - a.score || a.shard - b.shard || a.row - b.row
}

/** Keeps the best `size` rows of one shard for one query; rows must come in ascending order. */
export class BestMatches {
  readonly #matches: Match[] = []
  readonly #size: number
  /** Scores at or below it need not be offered. */
  threshold = Number.NEGATIVE_INFINITY

  constructor(size: number) {
    this.#size = size
  }

  offer(match: Match): void {
    const matches = this.#matches
    let at = 0
    for (let end = matches.length; at < end; ) {
      const middle = (at + end) >>> 1
      if (matches[middle]!.score < match.score) end = middle
      else at = middle + 1
    }
    matches.splice(at, 0, match)
    if (matches.length > this.#size) matches.pop()
    if (matches.length === this.#size) this.threshold = matches[this.#size - 1]!.score
  }

  list(): readonly Match[] {
    return this.#matches
  }
}
