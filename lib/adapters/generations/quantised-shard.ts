import { measureShardRecall } from '../../domain/shard-recall.ts'
import { chooseEffort, EFFORTS } from '../../domain/shard-search.ts'
import { quantiseShard } from './quantise-shard.ts'
import { scanCodes } from './scan-codes.ts'
import {
  type CheckedShard,
  type CheckJob,
  type IndexedShard,
  locateIndex,
  locateVectors,
  type ShardJob,
} from './shard-job.ts'

/** Writes the index.i8.npy of a shard, and measures how many candidates it needs. */
export async function indexQuantised(job: ShardJob): Promise<IndexedShard> {
  const { path, full } = locateIndex(job, 'exact-i8')
  const { scale, closing } = quantiseShard({ ...job, vectors: locateVectors(job), codes: full })
  try {
    const efforts = EFFORTS['exact-i8']
    const scan = scanCodes({ ...job, path: full, scale, most: Math.max(...efforts) })
    // Candidates cost little beside the scan, so there are as many as bring anything.
    const { effort: candidates, recall } = chooseEffort(efforts, 1, (effort) =>
      measureRecall(job, scan.candidates, effort),
    )
    const { bytes, sha256 } = scan
    return { search: { kind: 'exact-i8', scale, candidates, recall }, file: { path, bytes, sha256 } }
  } finally {
    await closing
  }
}

/** Reads the index.i8.npy of a shard once. Raises `corrupt`. */
export function checkQuantised(
  job: CheckJob,
  search: Extract<CheckJob['search'], { kind: 'exact-i8' }>,
): CheckedShard {
  const { path, full } = locateIndex(job, 'exact-i8')
  const { scale, candidates: most } = search
  const { candidates, ...facts } = scanCodes({ ...job, path: full, scale, most })
  return { recall: measureRecall(job, candidates, most), file: { path, ...facts } }
}

function measureRecall(
  { wanted }: ShardJob,
  candidates: readonly (readonly number[])[],
  effort: number,
): number {
  return measureShardRecall(wanted, (query) => candidates[query]!.slice(0, effort))
}
