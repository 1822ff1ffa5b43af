import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { computeDigest, MANIFEST_FILE, MANIFEST_FORMAT, type Manifest } from '../../lib/domain/manifest.ts'

type Known = Pick<Manifest, 'generation' | 'model' | 'clusters' | 'files'> &
  Partial<Pick<Manifest, 'parent' | 'routing'>>

/** Writes the manifest of a generation, with its digest, into its directory; what only a split measures is made up. */
export function writeSignedManifest(directory: string, known: Known): Manifest {
  const unsigned: Omit<Manifest, 'digest'> = {
    format: MANIFEST_FORMAT,
    parent: null,
    routing: { nprobe: 1, recallTarget: 1, measured: [{ nprobe: 1, recall: 1 }] },
    quality: {},
    createdAt: '2026-01-01T00:00:00.000Z',
    source: { kind: 'jsonl', files: [], settings: 'sha256:0' },
    ...known,
  }
  const manifest = { ...unsigned, digest: computeDigest(unsigned) }
  writeFileSync(join(directory, MANIFEST_FILE), JSON.stringify(manifest))
  return manifest
}
