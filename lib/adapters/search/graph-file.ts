import { fstatSync, readSync } from 'node:fs'
import { LongshoreError } from '../../domain/errors.ts'
import type { Metric } from '../../domain/model.ts'
import type { HeldFile } from './held-file.ts'

/** The only type that graphs hold their vectors in: bfloat16, as usearch calls it in its files, and its bytes. */
const SCALAR = { code: 4, bytes: 2 }
const METRIC_CODES: Record<Metric, string> = { cosine: 'c', dot: 'i', l2: 'e' }
const MAGIC = 'usearch'

/** Lengths and places in a usearch 2 file: counts, vectors, head, header of the graph, levels, nodes. */
const COUNTS_BYTES = 8
const HEAD_BYTES = 64
const GRAPH_BYTES = 40
const LEVEL_BYTES = 2
/** Lengths of what nodes are made of: key, level, and lists of links with their count in front. */
export const KEY_BYTES = 8
export const NODE_HEAD_BYTES = KEY_BYTES + LEVEL_BYTES
export const LINK_BYTES = 4
const PLACES = { metric: 13, scalar: 14, dimensions: 33 } as const

export type GraphShape = { readonly dimensions: number; readonly metric: Metric; readonly items: number }

/** Where the nodes of a graph begin, the highest level of each, and how many links they have room for in a level. */
export type GraphLayout = {
  readonly nodesAt: number
  readonly levels: Int16Array
  readonly links: number
  readonly baseLinks: number
}

/**
 * Compares all that a graph's file tells of itself, and its exact length, with what is expected: usearch reads a file that
 * is shorter than it should be without looking. Raises `corrupt`. Nodes are the business of `checkGraphLinks`.
 */
export function checkGraphFile(
  { path, descriptor }: HeldFile,
  { dimensions, metric, items }: GraphShape,
): GraphLayout {
  const size = fstatSync(descriptor).size
  const read = (at: number, length: number): Buffer => {
    const bytes = Buffer.alloc(length)
    if (readSync(descriptor, bytes, 0, length, at) === length) return bytes
    throw new LongshoreError('corrupt', `${path}: has ${size} bytes and ends too early`)
  }
  const expect = (what: string, found: unknown, expected: unknown) => {
    if (found !== expected)
      throw new LongshoreError('corrupt', `${path}: ${what} ${found}, expected ${expected}`)
  }
  const counts = read(0, COUNTS_BYTES)
  expect('items', counts.readUInt32LE(0), items)
  expect('bytes per vector', counts.readUInt32LE(4), dimensions * SCALAR.bytes)
  const at = COUNTS_BYTES + items * dimensions * SCALAR.bytes
  const head = read(at, HEAD_BYTES)
  expect('format', head.toString('latin1', 0, MAGIC.length), MAGIC)
  expect('metric', head.toString('latin1', PLACES.metric, PLACES.metric + 1), METRIC_CODES[metric])
  expect('type of numbers', head.readUInt8(PLACES.scalar), SCALAR.code)
  expect('dimensions', head.readBigUInt64LE(PLACES.dimensions), BigInt(dimensions))
  const graph = read(at + HEAD_BYTES, GRAPH_BYTES)
  const [nodes, ...counted] = new BigUint64Array(Uint8Array.from(graph).buffer)
  const [links, baseLinks, highest, entry] = counted.map(Number) as [number, number, number, number]
  expect('nodes', nodes, BigInt(items))
  const levels = new Int16Array(
    Uint8Array.from(read(at + HEAD_BYTES + GRAPH_BYTES, items * LEVEL_BYTES)).buffer,
  )
  expect('levels below 0:', levels.filter((level) => level < 0).length, 0)
  // Searching begins at the first node, in the highest level.
  expect('highest level', highest, levels[entry])
  const nodesAt = at + HEAD_BYTES + GRAPH_BYTES + levels.byteLength
  expect('bytes', size, nodesAt + sumNodes({ levels, links, baseLinks }))
  return { nodesAt, levels, links, baseLinks }
}

/** Bytes of all nodes: the upper levels of a node follow its lowest one. */
function sumNodes({ levels, links, baseLinks }: Omit<GraphLayout, 'nodesAt'>): number {
  const base = NODE_HEAD_BYTES + LINK_BYTES * (1 + baseLinks)
  return levels.reduce((sum, level) => sum + base + level * LINK_BYTES * (1 + links), 0)
}
