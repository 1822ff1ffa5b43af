/**
 * Patches between generations: bytes beside those of the whole files, how fast a node rebuilds, beside `cp` and SHA-256
 * of the same bytes, and the memory of all who take part. Each side runs in a process of its own.
 * `--quick`: a tenth of the rows. `--large`: more than 4 GB, of which every row changes its cluster.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Patch } from '../../lib/adapters/delta/make-patch.ts'
import type { RebuiltFile } from '../../lib/adapters/relay/protocol.ts'
import { countBytes } from '../../lib/domain/manifest.ts'
import { timeCopy } from './copy-peer.ts'
import type { Delivered } from './deliver-alone.ts'
import { CASES, makeBase } from './make-cases.ts'
import { makeRowGeneration } from './row-generation.ts'

const CLUSTERS = 4
const isLarge = process.argv.includes('--large')
const ROWS = isLarge ? 500_000 : process.argv.includes('--quick') ? 5_000 : 50_000
const DIMENSIONS = 512
const SEARCH = isLarge ? (['exact'] as const) : (['exact', 'exact-i8'] as const)
const CHANGES = isLarge ? { reclustered: CASES.reclustered } : CASES
const MB = 1e6

type Once<T> = { readonly answer: T; readonly tookMs: number; readonly memory: number }

const root = mkdtempSync(join(tmpdir(), 'longshore-delta-'))
const result: Record<string, unknown> = { bench: 'delta', rows: CLUSTERS * ROWS, dimensions: DIMENSIONS }
process.on('exit', () => rmSync(root, { recursive: true, force: true }))
for (const search of SEARCH) result[search] = runCases(search)
console.log(`RESULT ${JSON.stringify(result)}`)

function runCases(search: (typeof SEARCH)[number]): Record<string, unknown> {
  const shape = { dimensions: DIMENSIONS, search, goldenQueries: 200, isCut: isLarge }
  const base = makeBase(CLUSTERS, ROWS)
  makeRowGeneration(root, { name: 'dg_1', clusters: base, ...shape })
  const results: Record<string, unknown> = {}
  for (const [name, change] of Object.entries(CHANGES)) {
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
  const rate = (tookMs: number) => Math.round(size / MB / (tookMs / 1000))
  const made = runOnce<Patch | null>('make', name)
  const making = {
    megabytes: Math.round(size / MB),
    makeMBps: rate(made.tookMs),
    makeMemoryMiB: inMiB(made.memory),
    ...tellDelivery('send', name),
  }
  if (!made.answer) return { bytesRatio: null, ...making }
  mkdirSync(join(root, name, 'rebuilt'))
  const applied = runOnce<RebuiltFile[]>('apply', name)
  const wrong = applied.answer.filter(({ problem }) => problem !== null)
  if (wrong.length > 0) throw new Error(`${name}: ${JSON.stringify(wrong)}`)
  rmSync(join(root, name, 'rebuilt'), { recursive: true })
  const copyMs = timeCopy(join(root, name, 'dg_2'), join(root, name, 'copied'))
  return {
    bytesRatio: Number((made.answer.bytes / size).toFixed(4)),
    bytes: made.answer.bytes,
    ...making,
    rebuildMBps: rate(applied.tookMs),
    copyMBps: rate(copyMs),
    rebuildMemoryMiB: inMiB(applied.memory),
    ...tellDelivery('deliver', name),
  }
}

/** The memory of who delivers what differs (`deliver`) or all (`send`), and of the relay that gets it. */
function tellDelivery(side: 'deliver' | 'send', name: string): Record<string, number> {
  const { answer, memory } = runOnce<Delivered>(side, name)
  return { [`${side}MemoryMiB`]: inMiB(memory), [`${side}RelayMemoryMiB`]: inMiB(answer.relayMemory) }
}

function inMiB(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}

function runOnce<T>(side: 'make' | 'apply' | 'deliver' | 'send', name: string): Once<T> {
  const script = join(import.meta.dirname, 'once.ts')
  return JSON.parse(execFileSync(process.execPath, [script, side, root, name], { encoding: 'utf8' }))
}
