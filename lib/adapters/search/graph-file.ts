import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { LongshoreError } from '../../domain/errors.ts'
import type { Metric } from '../../domain/model.ts'

/** The only type that graphs hold their vectors in: bfloat16, as usearch calls it in its files, and its bytes. */
const SCALAR = { code: 4, bytes: 2 }
const METRIC_CODES: Record<Metric, string> = { cosine: 'c', dot: 'i', l2: 'e' }
const MAGIC = 'usearch'

/** Lengths and places in a usearch 2 file: counts, vectors, head, header of the graph, levels, nodes. */
const COUNTS_BYTES = 8
const HEAD_BYTES = 64
const GRAPH_BYTES = 40
const NODE_HEAD_BYTES = 10
const PLACES = { metric: 13, scalar: 14, dimensions: 33 } as const

export type GraphShape = { readonly dimensions: number; readonly metric: Metric; readonly items: number }

/**
 * Compares all that a graph's file tells of itself, and its exact length, with what is expected: usearch reads a file that
 * is shorter than it should be without looking. Raises `corrupt`. Links between nodes are not looked at; hashes are the
 * business of delivery.
 */
export function checkGraphFile(path: string, { dimensions, metric, items }: GraphShape): void {
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    const read = (at: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length)
      if (readSync(file, bytes, 0, length, at) === length) return bytes
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
    const [nodes, links, baseLinks, , entry] = new BigUint64Array(Uint8Array.from(graph).buffer)
    expect('nodes', nodes, BigInt(items))
    if (entry! >= nodes!) expect('first node', entry, `one below ${nodes}`)
    const levels = read(at + HEAD_BYTES + GRAPH_BYTES, items * 2)
    let length = at + HEAD_BYTES + GRAPH_BYTES + levels.length
    for (let node = 0; node < items; node++) {
      const upper = levels.readInt16LE(node * 2) * (Number(links) * 4 + 4)
      length += NODE_HEAD_BYTES + Number(baseLinks) * 4 + 4 + upper
    }
    expect('bytes', size, length)
  } finally {
    closeSync(file)
  }
}
