/**
 * Exact top-10 search over one shard, as a service gets its queries: one index service, asked over HTTP one query at a
 * time, against faiss's IndexFlatIP called in its own process. Both use one thread.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { shardFile } from '../../lib/domain/manifest.ts'
import { type Contestant, type Round, requirePeer, startPeer, startService } from './contestants.ts'
import { makeData } from './make-data.ts'

const DATA = join(import.meta.dirname, '..', '.data', 'search')
const DIMENSIONS = 512
const K = 10
const TIE = 1e-6
const BATCH = 32

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
requirePeer()
rmSync(DATA, { recursive: true, force: true })
mkdirSync(DATA, { recursive: true })
try {
  const result = await compare(
    values.quick ? { rows: 50_000, queries: 64, pairs: 3 } : { rows: 250_000, queries: 64, pairs: 5 },
  )
  console.log(`RESULT ${JSON.stringify({ bench: 'search', ...result })}`)
} finally {
  rmSync(DATA, { recursive: true, force: true })
}

async function compare({ rows, queries: count, pairs }: { rows: number; queries: number; pairs: number }) {
  const { manifest, queries } = makeData(DATA, { rows, queries: count, dimensions: DIMENSIONS })
  const queriesFile = join(DATA, 'queries.f32')
  writeFileSync(queriesFile, new Uint8Array(queries.buffer))
  const ours = await startService(DATA, manifest, queries, K)
  const peer = await startPeer(join(DATA, 'dg_1', shardFile(0, 'vectors')), queriesFile, DIMENSIONS, K)
  try {
    const single = await alternate(ours, peer, { perCall: 1, pairs })
    const batches = await alternate(ours, peer, { perCall: BATCH, pairs: 1 })
    console.table({
      'Longshore, one query': describe(single.ours, count),
      'faiss, one query': describe(single.peer, count),
      [`Longshore, ${BATCH} at once`]: describe(batches.ours, count),
      [`faiss, ${BATCH} at once`]: describe(batches.peer, count),
    })
    const recall = measureRecall(single.ours[0]!, single.peer[0]!)
    const ratio = median(single.ours.map(({ seconds }, pair) => single.peer[pair]!.seconds / seconds))
    return { ratio: Number(ratio.toFixed(2)), recall }
  } finally {
    await Promise.all([ours.stop(), peer.stop()])
  }
}

/** Runs both in turn, so that whatever else the machine does meets both alike. */
async function alternate(
  ours: Contestant,
  peer: Contestant,
  { perCall, pairs }: { perCall: number; pairs: number },
): Promise<{ ours: Round[]; peer: Round[] }> {
  const rounds = { ours: [] as Round[], peer: [] as Round[] }
  for (let pair = 0; pair < pairs; pair++) {
    rounds.peer.push(await peer.run(perCall))
    rounds.ours.push(await ours.run(perCall))
  }
  return rounds
}

/** The share of the peer's hits that we found too; another item with the score of its last hit is as good. */
function measureRecall(ours: Round, peer: Round): number {
  const shares = peer.ids.map((ids, query) => {
    const least = peer.scores[query]![K - 1]! - TIE
    const found = ours.ids[query]!.filter(
      (id, rank) => ids.includes(id) || ours.scores[query]![rank]! >= least,
    )
    return found.length / K
  })
  return shares.reduce((sum, share) => sum + share, 0) / shares.length
}

function describe(rounds: readonly Round[], queries: number): Record<string, number> {
  const perSecond = rounds.map(({ seconds }) => queries / seconds)
  return {
    'queries/s (median)': Number(median(perSecond).toFixed(1)),
    least: Number(Math.min(...perSecond).toFixed(1)),
    most: Number(Math.max(...perSecond).toFixed(1)),
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}
