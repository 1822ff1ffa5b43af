/**
 * Patches between generations: bytes beside those of the whole files, and how fast a node rebuilds. Each side runs in a
 * process of its own. `--quick`: a tenth of the rows.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Patch } from '../../lib/adapters/delta/make-patch.ts'
import type { RebuiltFile } from '../../lib/adapters/relay/protocol.ts'
import { countBytes } from '../../lib/domain/manifest.ts'
import { CASES, makeBase } from './make-cases.ts'
import { makeRowGeneration } from './row-generation.ts'

const CLUSTERS = 4
const ROWS = process.argv.includes('--quick') ? 5_000 : 50_000
const DIMENSIONS = 512
const SEARCH = ['exact', 'exact-i8'] as const
const MB = 1e6

type Once<T> = { readonly answer: T; readonly tookMs: number; readonly memory: number }

const root = mkdtempSync(join(tmpdir(), 'longshore-delta-'))
const result: Record<string, unknown> = { bench: 'delta', rows: CLUSTERS * ROWS, dimensions: DIMENSIONS }
process.on('exit', () => rmSync(root, { recursive: true, force: true }))
for (const search of SEARCH) result[search] = runCases(search)
console.log(`RESULT ${JSON.stringify(result)}`)

function runCases(search: (typeof SEARCH)[number]): Record<string, unknown> {
  const shape = { dimensions: DIMENSIONS, search, goldenQueries: 200 }
  const base = makeBase(CLUSTERS, ROWS)
  makeRowGeneration(root, { name: 'dg_1', clusters: base, ...shape })
  const results: Record<string, unknown> = {}
  for (const [name, change] of Object.entries(CASES)) {
    const directory = join(root, name)
    const manifest = makeRowGeneration(directory, { name: 'dg_2', clusters: change(base), ...shape })
    results[name] = runCase(name, countBytes(manifest))
    console.log(`${search} ${name}: ${JSON.stringify(results[name])}`)
    rmSync(directory, { recursive: true })
  }
  rmSync(join(root, 'dg_1'), { recursive: true })
  return results
}

function runCase(name: string, size: number): Record<string, unknown> {
  const made = runOnce<Patch | null>('make', name)
  const making = {
    makeMBps: Math.round(size / MB / (made.tookMs / 1000)),
    makeMemoryMB: Math.round(made.memory / MB),
  }
  if (!made.answer) return { bytesRatio: null, ...making }
  mkdirSync(join(root, name, 'rebuilt'))
  const applied = runOnce<RebuiltFile[]>('apply', name)
  const wrong = applied.answer.filter(({ problem }) => problem !== null)
  if (wrong.length > 0) throw new Error(`${name}: ${JSON.stringify(wrong)}`)
  return {
    bytesRatio: Number((made.answer.bytes / size).toFixed(4)),
    bytes: made.answer.bytes,
    ...making,
    rebuildMBps: Math.round(size / MB / (applied.tookMs / 1000)),
    rebuildMemoryMB: Math.round(applied.memory / MB),
  }
}

function runOnce<T>(side: 'make' | 'apply', name: string): Once<T> {
  const script = join(import.meta.dirname, 'once.ts')
  return JSON.parse(execFileSync(process.execPath, [script, side, root, name], { encoding: 'utf8' }))
}
