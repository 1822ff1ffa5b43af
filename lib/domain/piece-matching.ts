import type { NodePool } from './node-pool.ts'
import type { PieceFetches } from './piece-fetches.ts'
import { CONTROL, type Fetch } from './piece-planner-types.ts'
import { createPieceSet, findRarest, hasPiece } from './piece-set.ts'
import type { PieceSpread } from './piece-spread.ts'
import type { PlannedNode } from './planned-node.ts'

/** Finds who is to fetch what from whom, each in a time that does not grow with the number of nodes. */
export type PieceMatching = {
  /** The next fetch into a hungry node: from the least loaded of some open nodes. */
  forSink(sink: PlannedNode): Fetch | undefined
  /** The next fetch out of an open node: into the hungry one with the fewest under way of some. */
  forSource(source: PlannedNode): Fetch | undefined
  /** A piece that no trusted node has, into one that passes it on soon. */
  forFresh(mostInto: number): Fetch | undefined
  /** A piece that others have as well, into a hungry node. */
  fromControl(sink: PlannedNode): Fetch | undefined
  /** Another source for a piece that is under way already. */
  beside(fetch: Fetch): Fetch | undefined
}

const TRIES = 8
const FRESH_TRIES = 4
const MOST_COMPARED = 96

/** Matches nodes by looking at a few at random; the least loaded of them comes first, and the rarest piece. */
export function createPieceMatching(
  spread: PieceSpread,
  fetches: PieceFetches,
  random: () => number,
): PieceMatching {
  const { nodes, copies, eager, incomplete } = spread
  const { open, hungry } = fetches
  const everything = createPieceSet(copies.length).fill(0xffffffff)
  const rarest = (source: PlannedNode | undefined, sink: PlannedNode) =>
    findRarest(source?.have ?? everything, sink.wanted, { copies, start: random(), most: MOST_COMPARED })
  const look = (pool: NodePool<PlannedNode>) => pool.sample(spread.hasPortions ? pool.size : TRIES, random())
  const chooseEager = (piece: number, mostInto: number) => {
    const pool = eager.size > 0 ? eager : incomplete
    const fits = (node: PlannedNode) => hasPiece(node.wanted, piece) && node.feeding < mostInto
    return look(pool).filter(fits).sort(compareAsFirst)[0]
  }
  return {
    forSink(sink) {
      for (const source of look(open).sort(compareLoads)) {
        if (source === sink) continue
        const piece = rarest(source, sink)
        if (piece >= 0) return { to: sink.index, from: source.index, piece }
      }
      return undefined
    },
    forSource(source) {
      for (const sink of look(hungry).sort(compareIntakes)) {
        if (source === sink) continue
        const piece = rarest(source, sink)
        if (piece >= 0) return { to: sink.index, from: source.index, piece }
      }
      return undefined
    },
    forFresh(mostInto) {
      const passed: number[] = []
      let found: Fetch | undefined
      while (found === undefined && passed.length < FRESH_TRIES) {
        const piece = spread.takeFresh()
        if (piece === undefined) break
        const sink = chooseEager(piece, mostInto)
        if (sink) found = { to: sink.index, from: CONTROL, piece }
        else passed.push(piece)
      }
      for (const piece of passed) spread.putBack(piece)
      return found
    },
    fromControl(sink) {
      const piece = rarest(undefined, sink)
      return piece < 0 ? undefined : { to: sink.index, from: CONTROL, piece }
    },
    beside({ to, from, piece }) {
      const tried = nodes[to]!.fetches.filter((each) => each.piece === piece).map((each) => each.from)
      const source = look(open)
        .filter((node) => hasPiece(node.have, piece) && node.index !== from && !tried.includes(node.index))
        .sort(compareLoads)[0]
      if (source) return { to, from: source.index, piece }
      return tried.includes(CONTROL) ? undefined : { to, from: CONTROL, piece }
    },
  }
}

function compareLoads(one: PlannedNode, other: PlannedNode): number {
  return one.uploading - other.uploading
}

function compareIntakes(one: PlannedNode, other: PlannedNode): number {
  return one.fetching - other.fetching
}

/** Who gets a piece first: one with nothing of the kind on its way, little to pass on, and a fast link. */
function compareAsFirst(one: PlannedNode, other: PlannedNode): number {
  return one.feeding - other.feeding || one.uploading - other.uploading || other.up.perMs - one.up.perMs
}
