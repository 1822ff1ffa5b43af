import type { DeclaredModel } from '../config/models.ts'
import { BRIDGE_FILE, type Bridge, crossBridge } from '../domain/bridge.ts'
import { type BridgePairs, fitBridge, measureKept, partPairs } from '../domain/bridge-fit.ts'
import { LongshoreError } from '../domain/errors.ts'
import { countGoldenQueries } from '../domain/golden.ts'
import { countItems, type Manifest } from '../domain/manifest.ts'
import type { Context } from './context.ts'
import type { KnownRow } from './sample-pairs.ts'
import { joinFloats } from './split-embedding.ts'

/** Items of a generation in no order, with their embeddings under another model: `from` [rows, its dimensions]. */
export type BridgeSample = { readonly rows: readonly KnownRow[]; readonly from: Float32Array }

/** A map between two models, and what it was found to keep. */
export type FittedBridge = {
  readonly bridge: Bridge
  readonly map: Float32Array
  /** Items that it was not fitted to. */
  readonly heldOut: readonly CrossedRow[]
}

/** An item of the former generation, asked for as a query of the other model. */
export type CrossedRow = KnownRow & {
  /** Its embedding under the other model, led into the former one's space. */
  readonly crossed: Float32Array
  /** Ids of its nearest items by that, best first. */
  readonly found: readonly string[]
}

/** Fewer say nothing. */
const LEAST_HELD_OUT = 10
const DEPTH = 10

/** Fits a map to some items, and measures on others what it keeps. Raises `usage` where there are too few, and `corrupt`. */
export async function fitSample(
  context: Pick<Context, 'generationSearch' | 'signal'>,
  { before, declared: { model } }: { readonly before: Manifest; readonly declared: DeclaredModel },
  { rows, from }: BridgeSample,
): Promise<FittedBridge> {
  const parts = partPairs(rows.length)
  if (parts.judge.length < LEAST_HELD_OUT) throw refuseFew(before, rows.length)
  const takeFrom = (places: readonly number[]) =>
    joinFloats(places.map((at) => from.subarray(at * model.dimensions, (at + 1) * model.dimensions)))
  const take = (places: readonly number[]): BridgePairs => ({
    from: takeFrom(places),
    to: joinFloats(places.map((place) => rows[place]!.vector)),
  })
  const { kind, map } = fitBridge(take(parts.fit), take(parts.choose), before.model)
  const count = countGoldenQueries(parts.judge.length, countItems(before), before.model.dimensions)
  const judged = parts.judge.slice(0, count)
  const crossing = judged.map((place) => ({
    ...rows[place]!,
    crossed: crossBridge(map, takeFrom([place]), before.model),
  }))
  const { heldOut, keptRecall } = await ask(context, before, crossing)
  const bridge = { model, map: BRIDGE_FILE, kind, pairs: rows.length, heldOut: count, keptRecall } as const
  return { bridge, map, heldOut }
}

/** What items find as queries of the former model, and what over the bridge. They themselves are no answer that counts. */
async function ask(
  { generationSearch, signal }: Pick<Context, 'generationSearch' | 'signal'>,
  before: Manifest,
  rows: readonly Omit<CrossedRow, 'found'>[],
): Promise<{ readonly heldOut: CrossedRow[]; readonly keptRecall: number }> {
  const queries = joinFloats([...rows.map(({ vector }) => vector), ...rows.map(({ crossed }) => crossed)])
  const answers = await generationSearch.search(before, queries, { k: DEPTH + 1, signal })
  const heldOut = rows.map((row, at) => ({ ...row, found: answers[rows.length + at]!.map(({ id }) => id) }))
  const listOthers = (ids: readonly string[], own: string | undefined) =>
    ids.filter((id) => id !== own).slice(0, DEPTH)
  const wanted = rows.map(({ item }, at) =>
    listOthers(
      answers[at]!.map(({ id }) => id),
      item.id,
    ),
  )
  const found = heldOut.map((row) => listOthers(row.found, row.item.id))
  return { heldOut, keptRecall: measureKept(wanted, found) }
}

function refuseFew({ generation }: Manifest, count: number): LongshoreError {
  return new LongshoreError('usage', `${generation}: ${count} different items are too few for a bridge`, {
    hint: 'leave --bridge out',
  })
}
