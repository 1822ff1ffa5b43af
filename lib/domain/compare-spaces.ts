import { alignPoints } from './align-points.ts'
import { findRange, type Histogram, makeHistogram } from './histogram.ts'
import { type Point, projectOnPlane } from './principal-plane.ts'
import { findNeighbours, listPairScores, type Sample, scoreAll } from './sample-scores.ts'

/** Scores of items with each other, and with their nearest ones alone. */
export type ScoreSpread = { readonly pairs: Histogram; readonly nearest: Histogram }

/** An item on the maps of both models. */
export type MappedItem = {
  readonly name: string
  readonly before: Point
  readonly after: Point
  /** Share of its ten nearest items that are the same ones under both. */
  readonly kept: number
}

/** The same items under two models. */
export type SpaceComparison = {
  readonly items: number
  readonly scores: { readonly before: ScoreSpread; readonly after: ScoreSpread }
  /** Mean share of the `k` nearest items that are the same ones under both. */
  readonly overlap: readonly { readonly k: number; readonly overlap: number }[]
  readonly map: {
    /** Share of the variance that each map shows. */
    readonly explained: { readonly before: number; readonly after: number }
    readonly items: readonly MappedItem[]
  }
}

const DEPTHS = [1, 5, 10, 25]
const NEAREST = 10
const BINS = 48

/** Compares two samples of the same items, which `names` names. Neither is taken to be the better one. */
export function compareSpaces(names: readonly string[], before: Sample, after: Sample): SpaceComparison {
  const scores = { before: scoreAll(before), after: scoreAll(after) }
  const most = Math.max(...DEPTHS)
  const neighbours = {
    before: findNeighbours(scores.before, most),
    after: findNeighbours(scores.after, most),
  }
  const shareOf = (item: number, k: number) =>
    measureShare(neighbours.before[item]!.slice(0, k), neighbours.after[item]!.slice(0, k))
  const planes = {
    before: projectOnPlane(before.rows, before.model.dimensions),
    after: projectOnPlane(after.rows, after.model.dimensions),
  }
  const aligned = alignPoints(planes.after.points, planes.before.points)
  return {
    items: names.length,
    scores: {
      before: spread(scores.before, neighbours.before),
      after: spread(scores.after, neighbours.after),
    },
    overlap: DEPTHS.map((k) => ({
      k,
      overlap: names.reduce((sum, _, item) => sum + shareOf(item, k), 0) / Math.max(1, names.length),
    })),
    map: {
      explained: { before: planes.before.explained, after: planes.after.explained },
      items: names.map((name, item) => ({
        name,
        before: planes.before.points[item]!,
        after: aligned[item]!,
        kept: shareOf(item, NEAREST),
      })),
    },
  }
}

function spread(scores: Float32Array, neighbours: readonly (readonly number[])[]): ScoreSpread {
  const pairs = listPairScores(scores)
  const nearest = Float32Array.from(
    neighbours.flatMap((others, item) =>
      others.slice(0, NEAREST).map((other) => scores[item * neighbours.length + other]!),
    ),
  )
  const bins = { ...findRange(pairs), bins: BINS }
  return { pairs: makeHistogram(pairs, bins), nearest: makeHistogram(nearest, bins) }
}

/** Share of either list that is in both; 1 for empty ones. */
function measureShare(one: readonly number[], other: readonly number[]): number {
  return one.length === 0 ? 1 : one.filter((item) => other.includes(item)).length / one.length
}
