/** One side of one case in a process of its own, so that its memory can be told: `once.ts make|apply|deliver|send <directory> <case>`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { applyPatch } from '../../lib/adapters/delta/apply-patch.ts'
import { makePatch } from '../../lib/adapters/delta/make-patch.ts'
import { MANIFEST_FILE } from '../../lib/domain/manifest.ts'
import { parseManifest } from '../../lib/domain/parse-manifest.ts'
import type { Delivered } from './deliver-alone.ts'
import { readPeak } from './peak-memory.ts'

const [side, root, name] = process.argv.slice(2) as ['make' | 'apply' | 'deliver' | 'send', string, string]
const { signal } = new AbortController()
const read = (directory: string) => {
  const path = join(directory, MANIFEST_FILE)
  return parseManifest(readFileSync(path, 'utf8'), path)
}
const directory = join(root, name, 'dg_2')
const manifest = read(directory)
const baseDirectory = join(root, 'dg_1')
const patch = join(root, name, 'patch')
const sides = {
  make: async () => {
    const baseManifest = read(baseDirectory)
    return await makePatch({ directory, manifest, baseDirectory, baseManifest, target: patch, signal })
  },
  apply: () => applyPatch({ baseDirectory, patch, directory: join(root, name, 'rebuilt'), manifest, signal }),
  deliver: () => deliver(false),
  send: () => deliver(true),
}

const start = performance.now()
const answer = (await sides[side]()) ?? null
const tookMs = performance.now() - start
console.log(JSON.stringify({ answer, tookMs, memory: readPeak('self') }))

async function deliver(isWhole: boolean): Promise<Delivered> {
  // Loaded only where it is needed: it takes memory, too.
  const { deliverAlone } = await import('./deliver-alone.ts')
  const base = { baseDirectory, baseManifest: read(baseDirectory) }
  return await deliverAlone({ directory, manifest, ...base, isWhole })
}
