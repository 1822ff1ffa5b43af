import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type Manifest, shardFile } from '../../lib/domain/manifest.ts'
import {
  DIGEST_HEADER,
  MOST_PAGE_ROWS,
  NEXT_HEADER,
  type ShardSummary,
  summarizeShard,
  USUAL_PAGE_ROWS,
} from '../../lib/domain/shard-export.ts'
import { badRequest, HttpError } from '../http/http-error.ts'
import { findServed } from './find-served.ts'

export type ExportParts = {
  readonly dataDirectory: string
  readonly cluster: number
  readonly manifests: readonly Manifest[]
}

/** Lines of a page together take no more, but that one line is always given. */
const MOST_PAGE_BYTES = 8 << 20
/** Pages that are read at a time: searches come first. */
const MOST_AT_ONCE = 2
const RETRY_AFTER_S = 1
const OFFSET_BYTES = 8

type Params = { Params: { generation: string } }

/** Adds what other fleets read the items of a shard by: its summary, and its rows in pages. */
export function addExportRoutes(
  app: FastifyInstance,
  { dataDirectory, cluster, manifests }: ExportParts,
): void {
  let reading = 0
  const summarize = (generation: string): ShardSummary => {
    const found = summarizeShard(findServed(manifests, generation), cluster)
    if (found) return found
    throw new HttpError(404, 'not_found', `${generation} has no cluster ${cluster}`)
  }
  const onSend = async (_request: unknown, reply: FastifyReply) => {
    if (reply.statusCode === 503) reply.header('retry-after', RETRY_AFTER_S)
  }

  app.get<Params>('/v1/export/:generation', async ({ params }) => summarize(params.generation))

  app.get<Params & { Querystring: Record<string, unknown> }>(
    '/v1/export/:generation/items',
    { onSend },
    async ({ params, query }, reply) => {
      const { generation, digest, rows } = summarize(params.generation)
      const from = readCount(query.from, { name: 'from', least: 0, most: rows, preset: 0 })
      const limit = readCount(query.limit, {
        name: 'limit',
        least: 1,
        most: MOST_PAGE_ROWS,
        preset: USUAL_PAGE_ROWS,
      })
      if (reading >= MOST_AT_ONCE)
        throw new HttpError(503, 'overloaded', `${MOST_AT_ONCE} pages are being read already`)
      reading++
      try {
        const end = Math.min(rows, from + limit)
        const page = await readPage(join(dataDirectory, generation), { cluster, from, end })
        reply.header('x-longshore-generation', generation).header(DIGEST_HEADER, digest)
        if (page.next < rows) reply.header(NEXT_HEADER, page.next)
        return reply.type('application/x-ndjson; charset=utf-8').send(page.lines)
      } finally {
        reading--
      }
    },
  )
}

/** Lines of a shard from row `from` to before `end`, or fewer where they are long. Raises HttpError 500 for damaged offsets. */
async function readPage(
  directory: string,
  { cluster, from, end }: { readonly cluster: number; readonly from: number; readonly end: number },
): Promise<{ lines: Buffer; next: number }> {
  if (from === end) return { lines: Buffer.alloc(0), next: end }
  await using offsetFile = await open(join(directory, shardFile(cluster, 'offsets')))
  const bytes = Buffer.alloc((end - from + 1) * OFFSET_BYTES)
  await offsetFile.read(bytes, 0, bytes.length, from * OFFSET_BYTES)
  const offsetOf = (row: number) => Number(bytes.readBigUInt64LE((row - from) * OFFSET_BYTES))
  let next = from + 1
  while (next < end && offsetOf(next + 1) - offsetOf(from) <= MOST_PAGE_BYTES) next++
  await using itemFile = await open(join(directory, shardFile(cluster, 'items')))
  const { size } = await itemFile.stat()
  const length = offsetOf(next) - offsetOf(from)
  if (length < 0 || offsetOf(next) > size) {
    throw new HttpError(
      500,
      'corrupt',
      `the offsets of cluster ${cluster} are damaged: verify.mjs tells where`,
    )
  }
  const lines = Buffer.alloc(length)
  const { bytesRead } = await itemFile.read(lines, 0, length, offsetOf(from))
  if (bytesRead === length) return { lines, next }
  throw new HttpError(500, 'corrupt', `the items of cluster ${cluster} end too early: verify.mjs tells where`)
}

type Bounds = {
  readonly name: string
  readonly least: number
  readonly most: number
  readonly preset: number
}

function readCount(value: unknown, { name, least, most, preset }: Bounds): number {
  if (value === undefined) return preset
  const count = /^\d{1,15}$/.test(String(value)) ? Number(value) : Number.NaN
  if (count >= least && count <= most) return count
  throw badRequest(`${name}: expected a whole number from ${least} to ${most}`)
}
