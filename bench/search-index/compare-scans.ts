import type { Manifest } from '../../lib/domain/manifest.ts'
import { type Round, startService } from '../search/contestants.ts'
import type { LineProcess } from './line-process.ts'
import { CANDIDATES } from './make-kinds.ts'
import { measureRecall, perSecond, ratioOf, takeTurns } from './rounds.ts'

export type Case = {
  readonly directory: string
  readonly exact: Manifest
  readonly quantised: Manifest
  readonly queries: Float32Array
  readonly k: number
  readonly pairs: number
}

type Processes = { readonly ours: LineProcess; readonly faiss: LineProcess }

/** Exact and quantised search, one query after the other, as a library and over HTTP, in turn with the peer. */
export async function compareScans(
  { directory, exact, quantised, queries, k, pairs }: Case,
  { ours, faiss }: Processes,
) {
  const services = [
    await startService(directory, exact, queries, k),
    await startService(directory, quantised, queries, k),
  ]
  const runs: Record<string, () => Promise<Round>> = {
    'faiss IndexFlatIP': () => faiss.ask('1'),
    'exact, library': () => ours.ask(`${exact.generation} 0 1`),
    'exact, service': () => services[0]!.run(1),
    'exact-i8, library': () => ours.ask(`${quantised.generation} ${CANDIDATES} 1`),
    'exact-i8, service': () => services[1]!.run(1),
  }
  const rounds = await takeTurns(runs, pairs).finally(() =>
    Promise.all(services.map((service) => service.stop())),
  )
  const peer = rounds['faiss IndexFlatIP']!
  const rows = Object.entries(rounds).map(([name, list]) => {
    const recall = measureRecall(list[0]!, peer[0]!)
    const ratio = ratioOf(list, peer)
    return [name, { 'queries/s': perSecond(list), 'recall@10': recall, ratio }] as const
  })
  const table = Object.fromEntries(rows)
  console.table(table)
  const result = {
    exactRatio: table['exact, service']!.ratio,
    quantisedRatio: table['exact-i8, service']!.ratio,
    quantisedRecall: table['exact-i8, service']!['recall@10'],
  }
  return { result, truth: peer[0]! }
}
