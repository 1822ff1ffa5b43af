import { computeDigest, expectedPaths, MANIFEST_FORMAT, type Manifest } from '../../../lib/domain/manifest.ts'
import { fingerprintOf, type Model } from '../../../lib/domain/model.ts'
import { extractionServiceName } from '../../../lib/domain/service.ts'

const DECLARED = {
  name: 'lexical-hash',
  version: '1',
  dimensions: 4,
  metric: 'cosine',
  normalized: true,
} as const

/** The model of the manifests that {@link makeManifest} makes. */
export const FAKE_MODEL: Model = { ...DECLARED, fingerprint: fingerprintOf(DECLARED) }
/** The service that embeds under it. */
export const FAKE_EXTRACTION = extractionServiceName(FAKE_MODEL)

/** The clusters of a generation that needs a further file to search one of them. */
export const QUANTISED_CLUSTERS: Manifest['clusters'] = [
  { id: 0, items: 10, search: { kind: 'exact' } },
  { id: 1, items: 10, search: { kind: 'exact-i8', scale: 500, candidates: 40, recall: 1 } },
]

/**
 * A whole manifest of two clusters with ten items each, of a generation that lies nowhere. Files carry made-up sums
 * derived from `salt`, so that two manifests of the same salt have the same contents.
 */
export function makeManifest(
  generation: string,
  overrides: Partial<Manifest> = {},
  salt = generation,
): Manifest {
  const clusters = overrides.clusters ?? [
    { id: 0, items: 10 },
    { id: 1, items: 10 },
  ]
  const identity: Omit<Manifest, 'digest'> = {
    format: MANIFEST_FORMAT,
    generation,
    parent: null,
    model: FAKE_MODEL,
    clusters,
    routing: { nprobe: 1, recallTarget: 0.95, measured: [{ nprobe: 1, recall: 1 }] },
    quality: {},
    createdAt: '2026-01-01T00:00:00.000Z',
    source: { kind: 'jsonl', files: [], settings: 'sha256:0' },
    files: expectedPaths(clusters).map((path) => ({
      path,
      bytes: 100,
      sha256: Buffer.from(`${salt}/${path}`).toString('hex').padEnd(64, '0').slice(-64),
    })),
    ...overrides,
  }
  return { ...identity, digest: computeDigest(identity) }
}
