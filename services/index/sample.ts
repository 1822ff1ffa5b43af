import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { parseNpyHeader } from '../../lib/adapters/files/npy.ts'
import { type Manifest, shardFile } from '../../lib/domain/manifest.ts'
import { badRequest, HttpError } from '../http/http-error.ts'
import type { ExportParts } from './export.ts'
import { findServed } from './find-served.ts'

export type SampledItem = {
  readonly id: string
  readonly text?: string
  readonly vector: readonly number[]
}

const MOST_ROWS = 500
const MOST_CHARACTERS = 160
const HEADER_BYTES = 1 << 16
const OFFSET_BYTES = 8

/** Adds GET /v1/sample/:generation?rows=N: items of a shard with their vectors, evenly spread over it, the same ones each time. */
export function addSampleRoute(app: FastifyInstance, parts: ExportParts): void {
  const { dataDirectory, cluster, manifests } = parts
  app.get<{ Params: { generation: string }; Querystring: Record<string, unknown> }>(
    '/v1/sample/:generation',
    async ({ params, query }) => {
      const manifest = findServed(manifests, params.generation)
      const wanted = Number(query.rows ?? MOST_ROWS)
      if (!Number.isInteger(wanted) || wanted < 1 || wanted > MOST_ROWS) {
        throw badRequest(`rows: expected a whole number from 1 to ${MOST_ROWS}`)
      }
      const { generation, digest } = manifest
      const items = await readSample(join(dataDirectory, generation), { manifest, cluster, wanted })
      return { generation, digest, cluster, items }
    },
  )
}

type Wanted = { readonly manifest: Manifest; readonly cluster: number; readonly wanted: number }

async function readSample(directory: string, { manifest, cluster, wanted }: Wanted): Promise<SampledItem[]> {
  const held = manifest.clusters.find(({ id }) => id === cluster)?.items ?? 0
  const count = Math.min(wanted, held)
  if (count === 0) return []
  const path = join(directory, shardFile(cluster, 'vectors'))
  await using vectors = await open(path)
  await using offsets = await open(join(directory, shardFile(cluster, 'offsets')))
  await using items = await open(join(directory, shardFile(cluster, 'items')))
  const { dataOffset } = parseNpyHeader(await readBytes(vectors, 0, HEADER_BYTES), path)
  const width = manifest.model.dimensions * Float32Array.BYTES_PER_ELEMENT
  const sample: SampledItem[] = []
  for (let at = 0; at < count; at++) {
    const row = Math.floor(((at + 0.5) * held) / count)
    const bytes = await readBytes(vectors, dataOffset + row * width, width)
    const ends = await readBytes(offsets, row * OFFSET_BYTES, 2 * OFFSET_BYTES)
    const begin = Number(ends.readBigUInt64LE(0))
    const line = await readBytes(items, begin, Number(ends.readBigUInt64LE(OFFSET_BYTES)) - begin)
    const { id, text } = parseItem(line, cluster)
    const vector = [...new Float32Array(Uint8Array.from(bytes).buffer)]
    sample.push({ id, ...(text !== undefined && { text: text.slice(0, MOST_CHARACTERS) }), vector })
  }
  return sample
}

/** Fewer bytes at the end of the file. */
async function readBytes(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.max(0, length))
  const { bytesRead } = await file.read(bytes, 0, bytes.length, from)
  return bytes.subarray(0, bytesRead)
}

function parseItem(line: Buffer, cluster: number): { readonly id: string; readonly text?: string } {
  try {
    return JSON.parse(line.toString('utf8'))
  } catch (error) {
    const message = `an item of cluster ${cluster} is no JSON: verify.mjs tells where`
    throw Object.assign(new HttpError(500, 'corrupt', message), { cause: error })
  }
}
