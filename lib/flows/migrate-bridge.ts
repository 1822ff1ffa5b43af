import { orderClusters } from '../domain/clusters.ts'
import { LongshoreError } from '../domain/errors.ts'
import { nextGenerationName } from '../domain/generation.ts'
import type { Golden } from '../domain/golden.ts'
import { computeDigest, type FileEntry, type Manifest, refOf } from '../domain/manifest.ts'
import type { Model } from '../domain/model.ts'
import { atLeast } from '../domain/quality.ts'
import { lastRelease } from '../domain/record-rules.ts'
import { listPairScores, scoreAll, scorePairs } from '../domain/sample-scores.ts'
import { moveThreshold } from '../domain/score-threshold.ts'
import type { Context } from './context.ts'
import { labelOf } from './declared-models.ts'
import { type BridgeRequest, type MeasuredBridge, measureBridge } from './measure-bridge.ts'
import { readManifests } from './read-manifests.ts'
import { joinFloats } from './split-embedding.ts'
import { update } from './update.ts'

/** Queries that a gateway tries a bridge with before it serves it. */
const MOST_PAIRS = 20

/**
 * Serves a generation to queries of another model while its items are embedded under that; undefined where nothing is left to
 * embed, or the fleet serves that model already. Raises `gate` where the map keeps too little, what `update` raises, and
 * what embedding raises.
 */
export async function serveByBridge(context: Context, request: BridgeRequest): Promise<Manifest | undefined> {
  const { before, declared } = request
  const { reporter } = context
  if (await isServed(context, declared.model)) {
    reporter.note(`${labelOf(declared.model)} is serving already: no bridge to it is needed`)
    return undefined
  }
  const measured = await measureBridge(context, request)
  judge(context, before, measured)
  if (!measured.hasRest) {
    reporter.note(
      `everything is embedded under ${labelOf(declared.model)} already: no bridge to it is needed`,
    )
    return undefined
  }
  const manifest =
    (await findBridge(context, before, declared.model)) ?? (await makeBridge(context, before, measured))
  await update(context, { generation: manifest.generation })
  return manifest
}

async function isServed({ state, generations }: Context, { fingerprint }: Model): Promise<boolean> {
  const name = lastRelease(await state.read())?.generation.name
  if (name === undefined || !(await generations.list()).includes(name)) return false
  const { model, bridge } = await generations.read(name)
  return bridge === undefined && model.fingerprint === fingerprint
}

function judge({ profile, reporter }: Context, before: Manifest, { bridge }: MeasuredBridge): void {
  const { model, kind, heldOut, pairs, keptRecall } = bridge
  const limit = profile.gates.bridge
  const [asked, stored] = [labelOf(model), labelOf(before.model)]
  const detail = `recall@10 kept of ${stored}: ${heldOut} queries of ${asked} by ${kind}, fitted to ${pairs} items`
  const gate = atLeast('bridge', keptRecall, limit, detail)
  reporter.gates(`${before.generation} by queries of ${asked}`, [gate])
  if (gate.passed) return
  const kept = keptRecall.toFixed(3)
  throw new LongshoreError(
    'gate',
    `the bridge from ${asked} to ${before.generation} keeps ${kept} of recall@10, expected ${gate.limit}: nothing was changed`,
    {
      hint: 'without --bridge, queries stay with the former model until everything is embedded; gates.bridge in the profile is the limit',
      answer: { former: before.generation, gate, bridge },
    },
  )
}

/** The newest bridge between these two that was made before. */
async function findBridge(
  context: Context,
  { digest }: Manifest,
  { fingerprint }: Model,
): Promise<Manifest | undefined> {
  for await (const manifest of readManifests(context, await context.generations.list())) {
    const { bridge, parent } = manifest
    if (bridge?.model.fingerprint === fingerprint && parent?.digest === digest) return manifest
  }
  return undefined
}

async function makeBridge(context: Context, before: Manifest, measured: MeasuredBridge): Promise<Manifest> {
  const { generations, generationSearch, writer } = context
  const generation = nextGenerationName(await generations.list())
  const { queries, ...golden } = await generationSearch.readGolden(before)
  return await writer.writeBridge({
    from: before,
    generation,
    map: measured.map,
    golden: {
      ...golden,
      // What becomes of their texts is near to their vectors, not the same.
      queries: queries.map(({ text: _text, ...query }) => query),
      pairs: golden.pairs.length > 0 ? golden.pairs : listPairs(before, measured),
    },
    complete: (files) => describe(before, { generation, files, measured, now: context.now() }),
  })
}

type Made = {
  readonly generation: string
  readonly files: readonly FileEntry[]
  readonly measured: MeasuredBridge
  readonly now: number
}

function describe(before: Manifest, { generation, files, measured, now }: Made): Manifest {
  const { digest: _digest, threshold: _threshold, ...same } = before
  const threshold = moveScore(before, measured)
  const undigested = {
    ...same,
    generation,
    parent: refOf(before),
    bridge: measured.bridge,
    ...(threshold !== undefined && { threshold }),
    quality: { ...before.quality, bridge: measured.bridge.keptRecall },
    createdAt: new Date(now).toISOString(),
    source: { ...before.source, kind: `${before.source.kind}, bridged` },
    files,
  }
  return { ...undigested, digest: computeDigest(undigested) }
}

/** The threshold that as many items drawn at random pass as passed the former one, now with mapped queries. */
function moveScore({ threshold, model }: Manifest, { heldOut }: MeasuredBridge): number | undefined {
  if (threshold === undefined) return undefined
  const rows = joinFloats(heldOut.map(({ vector }) => vector))
  const crossed = joinFloats(heldOut.map((row) => row.crossed))
  const former = listPairScores(scoreAll({ rows, model }))
  return moveThreshold(threshold, former, scorePairs(crossed, { rows, model })).after.score
}

/** Texts that find their own item first, in a cluster that is asked: another model, or another map, would not. */
function listPairs({ model, routing }: Manifest, { heldOut, centroids }: MeasuredBridge): Golden['pairs'] {
  const met = heldOut.flatMap(({ item, cluster, crossed, found }) => {
    const { id, text } = item
    if (!text || id === undefined || found[0] !== id) return []
    const asked = orderClusters(crossed, centroids, model.metric).slice(0, routing.nprobe)
    return asked.includes(cluster ?? -1) ? [{ query: text, id }] : []
  })
  return met.slice(0, MOST_PAIRS)
}
