import { open, readdir, readFile, stat } from 'node:fs/promises'
import { CONTENT_HASH_BYTES } from '../../domain/content.ts'
import { LongshoreError } from '../../domain/errors.ts'
import { HashLocations } from '../../domain/hash-locations.ts'
import { bytesOf, countWholeKeys, findDamage, KEY_BYTES } from './segment-record.ts'
import { keysFile, vectorsFile } from './segment-writer.ts'

/** Rows of one segment, at these locations of the whole ledger. */
export type Segment = { readonly number: number; readonly base: number; rows: number }

/** Rows that lie one after the other, in a segment and where they are wanted. */
export type Run = { readonly row: number; readonly target: number; readonly count: number }

/** The segments of a directory, and where the contents of all their keys are. What is torn at the end of one does not count. */
export async function readSegments(directory: string, rowBytes: number): Promise<[Segment[], HashLocations]> {
  const numbers = await listNumbers(directory)
  const sizes = await Promise.all(numbers.map((number) => sizeOf(vectorsFile(directory, number))))
  const counts = sizes.map((bytes) => Math.floor(bytes / rowBytes))
  const locations = new HashLocations(counts.reduce((sum, count) => sum + count, 0))
  const segments: Segment[] = []
  let base = 0
  for (const [index, number] of numbers.entries()) {
    const keys = await readFile(keysFile(directory, number))
    const rows = Math.min(countWholeKeys(keys), counts[index]!)
    for (let row = 0; row < rows; row++) locations.add(keys, row * KEY_BYTES, base + row)
    segments.push({ number, base, rows })
    base += rows
  }
  return [segments, locations]
}

/** Reads runs of rows of one segment into `target`, comparing each with its hash. Raises `corrupt` naming the row. */
export async function readRuns(
  directory: string,
  { number }: Segment,
  runs: readonly Run[],
  { hashes, target }: { readonly hashes: Uint8Array; readonly target: Float32Array },
): Promise<void> {
  const path = vectorsFile(directory, number)
  const dimensions = target.length / (hashes.length / CONTENT_HASH_BYTES)
  await using vectorFile = await open(path)
  await using keyFile = await open(keysFile(directory, number))
  for (const { row, target: at, count } of runs) {
    const vectors = bytesOf(target.subarray(at * dimensions, (at + count) * dimensions))
    const keys = Buffer.alloc(count * KEY_BYTES)
    await vectorFile.read(vectors, 0, vectors.length, row * dimensions * 4)
    await keyFile.read(keys, 0, keys.length, row * KEY_BYTES)
    for (let index = 0; index < count; index++) {
      const hash = hashes.subarray((at + index) * CONTENT_HASH_BYTES, (at + index + 1) * CONTENT_HASH_BYTES)
      const vector = vectors.subarray(4 * index * dimensions, 4 * (index + 1) * dimensions)
      const damage = findDamage(keys, index * KEY_BYTES, { hash, vector })
      if (damage === undefined) continue
      throw new LongshoreError('corrupt', `${path}, row ${row + index}: ${damage}`, {
        hint: `remove this segment (.keys and .vectors); what it held is embedded again`,
      })
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path)).size
}

async function listNumbers(directory: string): Promise<number[]> {
  const found = (await readdir(directory)).map((name) => /^segment-(\d{6})\.keys$/.exec(name)?.[1])
  return found.flatMap((digits) => (digits === undefined ? [] : [Number(digits)])).sort((a, b) => a - b)
}
