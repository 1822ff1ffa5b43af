import { readFileSync } from 'node:fs'
import { listItems } from '../../lib/flows/split-items.ts'
import type { Input, Reject, SourceItem } from '../../lib/ports/input.ts'
import { ROOT } from './shared.ts'

/** A file or directory of test/fixtures. */
export function fixturePath(path: string): string {
  return `${ROOT}test/fixtures/${path}`
}

/** The texts and rows that the fixtures were made from. */
export function readExpected(): { texts: string[]; rows: Float32Array[] } {
  const texts = JSON.parse(readFileSync(fixturePath('pickles/texts.json'), 'utf8')) as string[]
  const bytes = readFileSync(fixturePath('pickles/rows.npy'))
  const floats = new Float32Array(new Uint8Array(bytes.subarray(bytes.length - texts.length * 32)).buffer)
  return { texts, rows: texts.map((_, row) => floats.slice(row * 8, row * 8 + 8)) }
}

/** All that an input gives, joined. */
export type Whole = { items: SourceItem[]; vectors: number[][]; clusters: number[]; rejects: Reject[] }

export async function readWhole(input: Input, signal = new AbortController().signal): Promise<Whole> {
  const whole: Whole = { items: [], vectors: [], clusters: [], rejects: [] }
  for await (const batch of input.read(signal)) {
    const { vectors, clusters, rejects } = batch
    const items = listItems(batch.items)
    whole.items.push(...items)
    whole.rejects.push(...rejects)
    if (clusters) whole.clusters.push(...clusters)
    const d = input.dimensions ?? 0
    if (vectors) items.forEach((_, row) => void whole.vectors.push([...vectors.slice(row * d, row * d + d)]))
  }
  return whole
}
