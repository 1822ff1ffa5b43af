import { type BridgeKind, crossBridge } from './bridge.ts'
import { findOrthogonalFactor, type Matrix, multiplyTransposed, solvePositive } from './bridge-algebra.ts'
import type { Model } from './model.ts'
import { innerProduct, scoreOf } from './similarity.ts'

/** The same items under two models: row i of `from` [n, dimensions of the queries' model] is row i of `to` [n, dimensions]. */
export type BridgePairs = { readonly from: Float32Array; readonly to: Float32Array }

/** Pairs that a map is fitted to, those that it is chosen by, and those that it is judged by. */
export type BridgeParts = { readonly [part in 'fit' | 'choose' | 'judge']: readonly number[] }

/** A map [dimensions of the queries' model, dimensions]. */
export type BridgeMap = { readonly kind: BridgeKind; readonly map: Float32Array }

/** Against how much each weight counts, as a share of the mean square of a dimension. */
const PENALTIES = [1e-6, 1e-4, 1e-2, 1]
const MOST_HELD_OUT = 256
const DEPTH = 10

/** Places of `count` pairs, which are in no order: a fifth, and no more than 256, to choose and to judge by each. */
export function partPairs(count: number): BridgeParts {
  const held = Math.min(MOST_HELD_OUT, Math.floor(count / 5))
  const places = Array.from({ length: count }, (_, place) => place)
  return {
    judge: places.slice(0, held),
    choose: places.slice(held, 2 * held),
    fit: places.slice(2 * held),
  }
}

/**
 * The linear map by which rows of one model come nearest to those of `model`: of the orthogonal Procrustes solution
 * (Schönemann 1966), where both have as many dimensions, and ridge regressions (Hoerl and Kennard 1970) the one that keeps
 * most of the ten nearest among all these rows, for those of `choose`, which none was fitted to.
 */
export function fitBridge(fit: BridgePairs, choose: BridgePairs, model: Model): BridgeMap {
  const pool = new Float32Array(choose.to.length + fit.to.length)
  pool.set(choose.to)
  pool.set(fit.to, choose.to.length)
  const wanted = findNearest(choose.to, pool, model)
  const scored = listCandidates(fit, model.dimensions).map((candidate) => {
    const found = findNearest(crossBridge(candidate.map, choose.from, model), pool, model)
    return { candidate, kept: measureKept(wanted, found) }
  })
  return scored.reduce((best, one) => (one.kept > best.kept ? one : best)).candidate
}

function listCandidates(fit: BridgePairs, dimensions: number): BridgeMap[] {
  const rows = fit.to.length / dimensions
  const from = toMatrix(fit.from, rows)
  const products = multiplyTransposed(from, toMatrix(fit.to, rows))
  const squares = multiplyTransposed(from, from)
  const ridges = PENALTIES.map((penalty) => {
    const { values } = solvePositive(penalise(squares, penalty), products)
    return { kind: 'ridge' as const, map: Float32Array.from(values) }
  })
  if (from.columns !== dimensions) return ridges
  const { values } = findOrthogonalFactor(products)
  return [{ kind: 'procrustes', map: Float32Array.from(values) }, ...ridges]
}

function penalise({ rows, columns, values }: Matrix, penalty: number): Matrix {
  const penalised = values.slice()
  let trace = 0
  for (let at = 0; at < rows; at++) trace += values[at * rows + at]!
  const added = penalty * (trace / rows || 1)
  for (let at = 0; at < rows; at++) penalised[at * rows + at]! += added
  return { rows, columns, values: penalised }
}

/** For each query the places of its nearest rows, best first; query i is row i itself, and no answer to it. */
function findNearest(queries: Float32Array, rows: Float32Array, { dimensions, metric }: Model): number[][] {
  const split = (all: Float32Array) =>
    Array.from({ length: all.length / dimensions }, (_, at) => {
      const vector = all.subarray(at * dimensions, (at + 1) * dimensions)
      return { vector, square: innerProduct(vector, vector) }
    })
  const pool = split(rows)
  return split(queries).map((query, own) => {
    const scores = Float64Array.from(pool, ({ vector, square }) => {
      const product = innerProduct(query.vector, vector)
      return scoreOf(metric, { product, squaredA: query.square, squaredB: square })
    })
    scores[own] = Number.NEGATIVE_INFINITY
    return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, DEPTH)
  })
}

function toMatrix(values: Float32Array, rows: number): Matrix {
  return { rows, columns: values.length / rows, values: Float64Array.from(values) }
}

/** Mean share of what each list of `wanted` holds that the list of `found` at its place holds too. */
export function measureKept<T>(wanted: readonly (readonly T[])[], found: readonly (readonly T[])[]): number {
  const shares = wanted.map((ids, query) => {
    const known = new Set(found[query])
    return ids.length === 0 ? 1 : ids.filter((id) => known.has(id)).length / ids.length
  })
  return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length)
}
