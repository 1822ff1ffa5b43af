import { createHash } from 'node:crypto'
import { cp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseNpyHeader } from '../../lib/adapters/files/npy.ts'
import { computeDigest, MANIFEST_FILE, type Manifest } from '../../lib/domain/manifest.ts'

/** Copies generation `from` to `to` inside `directory`, lets `edit` spoil the copy, and signs what it became. */
export async function forgeGeneration(
  directory: string,
  { from, to }: { from: string; to: string },
  edit: (copy: string, manifest: Manifest) => Promise<Partial<Manifest> | undefined>,
): Promise<void> {
  const copy = join(directory, to)
  await cp(join(directory, from), copy, { recursive: true })
  const manifest = { ...(await readManifest(copy)), generation: to }
  await signGeneration(copy, { ...manifest, ...(await edit(copy, manifest)) })
}

/** Writes a manifest whose hashes, sizes and digest fit the files as they are now. */
async function signGeneration(directory: string, manifest: Manifest): Promise<void> {
  const files = await Promise.all(
    manifest.files.map(async ({ path }) => {
      const bytes = await readFile(join(directory, path))
      return { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
    }),
  )
  const unsigned = { ...manifest, files }
  await writeFile(
    join(directory, MANIFEST_FILE),
    JSON.stringify({ ...unsigned, digest: computeDigest(unsigned) }),
  )
}

export async function readManifest(directory: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(directory, MANIFEST_FILE), 'utf8')) as Manifest
}

/** Rewrites the float32 data of a .npy file in place, leaving its header. */
export async function editVectors(path: string, edit: (values: Float32Array) => void): Promise<void> {
  const bytes = await readFile(path)
  const { dataOffset } = parseNpyHeader(bytes, path)
  const values = new Float32Array(Uint8Array.from(bytes.subarray(dataOffset)).buffer)
  edit(values)
  bytes.set(new Uint8Array(values.buffer), dataOffset)
  await writeFile(path, bytes)
}

/** Turns every vector of a generation around in all nodes' copies, as silent corruption of their disks would. */
export async function spoilNodeCopies(nodesDirectory: string, generation: string): Promise<void> {
  for (const node of await readdir(nodesDirectory)) {
    const copy = join(nodesDirectory, node, generation)
    for (const name of await readdir(copy)) {
      const path = join(copy, name)
      if ((await stat(path)).isDirectory())
        await editVectors(join(path, 'vectors.npy'), (values) => values.reverse())
    }
  }
}
