import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderNpyHeader } from '../../lib/adapters/files/npy.ts'
import { sharedPath } from './shared.ts'

export const CLUSTERS = [0, 1, 2, 3]
export const DIMENSIONS = 512
/** Where the vectors of 1,000 rows begin in the file of a shard, and how many bytes they take. */
export const VECTORS_AT = 62 + 45
export const VECTOR_BYTES = 1000 * DIMENSIONS * 4

export type Sentence = { readonly text: string; readonly vector: Float32Array }

/** All sentences of both reference generations, with the vectors that USE-512 gave them: 8,000, some of them repeated. */
export async function readHardml(): Promise<Sentence[]> {
  const shards = ['dg_1', 'dg_2'].flatMap((name) => CLUSTERS.map((cluster) => `${name}/clust_${cluster}`))
  return (await Promise.all(shards.map(readShard))).flat()
}

/** Writes sentences as NumPy has them: `vectors.npy`, and `items.jsonl` beside. */
export async function writeNumpy(directory: string, sentences: readonly Sentence[]): Promise<void> {
  await mkdir(directory)
  const rows = sentences.map(({ vector }) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength))
  const header = renderNpyHeader('<f4', [sentences.length, DIMENSIONS])
  await writeFile(join(directory, 'vectors.npy'), Buffer.concat([header, ...rows]))
  const lines = sentences.map(({ text }) => `${JSON.stringify({ text })}\n`)
  await writeFile(join(directory, 'items.jsonl'), lines.join(''))
}

async function readShard(shard: string): Promise<Sentence[]> {
  const directory = sharedPath(`data/hardml/dgs/${shard}`)
  const bytes = await readFile(`${directory}/index`)
  const vectors = new Float32Array(
    Uint8Array.from(bytes.subarray(VECTORS_AT, VECTORS_AT + VECTOR_BYTES)).buffer,
  )
  const sentences = JSON.parse(await readFile(`${directory}/sentences.json`, 'utf8')) as Record<
    string,
    string
  >
  return Object.entries(sentences).map(([row, text]) => ({
    text,
    vector: vectors.subarray(Number(row) * DIMENSIONS, (Number(row) + 1) * DIMENSIONS),
  }))
}
