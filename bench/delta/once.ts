/** One side of one case in a process of its own, so that its memory can be told: `once.ts make|apply <directory> <case>`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { applyPatch } from '../../lib/adapters/delta/apply-patch.ts'
import { makePatch } from '../../lib/adapters/delta/make-patch.ts'
import { MANIFEST_FILE } from '../../lib/domain/manifest.ts'
import { parseManifest } from '../../lib/domain/parse-manifest.ts'

const [side, root, name] = process.argv.slice(2) as [string, string, string]
const { signal } = new AbortController()
const read = (directory: string) => {
  const path = join(directory, MANIFEST_FILE)
  return parseManifest(readFileSync(path, 'utf8'), path)
}
const directory = join(root, name, 'dg_2')
const manifest = read(directory)
const baseDirectory = join(root, 'dg_1')
const patch = join(root, name, 'patch')

const start = performance.now()
const answer =
  side === 'make'
    ? ((await makePatch({
        directory,
        manifest,
        baseDirectory,
        baseManifest: read(baseDirectory),
        target: patch,
        signal,
      })) ?? null)
    : await applyPatch({ baseDirectory, patch, directory: join(root, name, 'rebuilt'), manifest, signal })
const tookMs = performance.now() - start
console.log(JSON.stringify({ answer, tookMs, memory: process.resourceUsage().maxRSS * 1024 }))
