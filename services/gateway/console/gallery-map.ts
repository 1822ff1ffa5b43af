import type { HttpConnections } from '../../../lib/adapters/http/client.ts'
import { countItems, type Manifest } from '../../../lib/domain/manifest.ts'
import { createPlacement } from '../../../lib/domain/plane-axes.ts'
import { type Point, projectOnPlane } from '../../../lib/domain/principal-plane.ts'
import { type Group, indexServiceName } from '../../../lib/domain/service.ts'
import type { SampledItem } from '../../index/sample.ts'
import type { Discovery } from '../discovery.ts'

export type MappedItem = {
  readonly id: string
  readonly text?: string
  readonly cluster: number
  readonly at: Point
}

/** Sampled items of a generation on the plane in which they differ most. */
export type GalleryMap = {
  readonly points: readonly MappedItem[]
  /** Items of the generation, sampled or not. */
  readonly items: number
  /** Share of the variance that the plane shows. */
  readonly explained: number
  /** Where a further vector lies. */
  place(vector: Float32Array): Point
}

export type MapParts = {
  readonly manifest: Manifest
  readonly discovery: Discovery
  readonly client: HttpConnections
  readonly groups: readonly Group[]
}

const MOST_POINTS = 320
const LEAST_POINTS = 40
/** Multiplications between two requests that wait meanwhile: about a tenth of a second. */
const MOST_PRODUCTS = 6e7
const AT_ONCE = 8
const TIMEOUT_MS = 10_000

/** Asks index services for samples of their shards, each for its share. A shard that does not answer is left out. */
export async function makeGalleryMap(parts: MapParts): Promise<GalleryMap> {
  const { manifest } = parts
  const { dimensions, metric } = manifest.model
  const sample = await collectSample(parts)
  const rows = Float32Array.from(sample.flatMap(({ vector }) => [...vector]))
  if (metric === 'cosine') for (const row of splitRows(rows, dimensions)) normalize(row)
  const { points, explained } = projectOnPlane(rows, dimensions)
  const place = createPlacement(rows, points, dimensions)
  return {
    points: sample.map(({ vector: _vector, ...item }, row) => ({ ...item, at: points[row]! })),
    items: countItems(manifest),
    explained,
    place: (vector) => place(metric === 'cosine' ? normalize(Float32Array.from(vector)) : vector),
  }
}

type Sampled = SampledItem & { readonly cluster: number }

async function collectSample(parts: MapParts): Promise<Sampled[]> {
  const { clusters, model } = parts.manifest
  const affordable = Math.floor(Math.sqrt((2 * MOST_PRODUCTS) / model.dimensions))
  const most = Math.max(LEAST_POINTS, Math.min(MOST_POINTS, affordable))
  const all = countItems(parts.manifest)
  const largest = clusters.toSorted((a, b) => b.items - a.items).slice(0, most)
  const wanted = largest.filter(({ items }) => items > 0)
  const found: Sampled[] = []
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const batch = wanted.slice(at, at + AT_ONCE)
    const asked = batch.map(({ id, items }) =>
      askSample(parts, id, Math.max(1, Math.floor((most * items) / all))),
    )
    found.push(
      ...(await Promise.allSettled(asked)).flatMap((one) => (one.status === 'fulfilled' ? one.value : [])),
    )
  }
  return found
}

async function askSample(
  { manifest, discovery, client, groups }: MapParts,
  cluster: number,
  rows: number,
): Promise<Sampled[]> {
  const services = groups.map((group) => indexServiceName(cluster, group))
  const [endpoint] = services.flatMap((service) => discovery.endpointsOf(service))
  if (endpoint === undefined) return []
  const url = `${endpoint}/v1/sample/${manifest.generation}?rows=${rows}`
  const { status, body } = await client.get(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  const answer = JSON.parse(body.toString()) as { digest?: string; items?: SampledItem[] }
  if (status !== 200 || answer.digest !== manifest.digest) return []
  return (answer.items ?? []).map((item) => ({ ...item, cluster }))
}

function splitRows(rows: Float32Array, dimensions: number): Float32Array[] {
  return Array.from({ length: rows.length / dimensions }, (_, row) =>
    rows.subarray(row * dimensions, (row + 1) * dimensions),
  )
}

function normalize(row: Float32Array): Float32Array {
  const length = Math.hypot(...row)
  for (let at = 0; length > 0 && at < row.length; at++) row[at]! /= length
  return row
}
