/**
 * Stands in place of services/main.ts in an image for tests: an index service misbehaves once it is told to hold a
 * generation that /data/faults.json names; anything else runs as it was shipped.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import http, { type RequestListener, type ServerOptions } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'

export type Fault = 'crash' | 'wrong' | 'unready' | 'slow'

const DATA = '/data'
const FAULTS = join(DATA, 'faults.json')
const HEADER_BYTES = 128
const SLOW_MS = 4_000
const UNREADY = '{"error":{"code":"warming","message":"is warming up"}}'

const faults: Record<string, Fault> = existsSync(FAULTS) ? JSON.parse(readFileSync(FAULTS, 'utf8')) : {}
const held = (process.env.GENERATIONS ?? '').split(',').map((entry) => entry.split('@')[0] ?? '')
const bad = process.argv[2] === 'index' ? held.find((name) => name in faults) : undefined
if (bad !== undefined) misbehave(bad, faults[bad])
await import(new URL('./shipped-main.ts', import.meta.url).href)

function misbehave(generation: string, fault: Fault | undefined): void {
  if (fault === 'crash') throw new Error(`${generation} is more than this build bears`)
  if (fault === 'wrong') process.env.DATA_DIR = copySpoiled(generation)
  if (fault === 'unready') intercept('/readyz', (_request, response) => response.writeHead(503).end(UNREADY))
  if (fault === 'slow') intercept(`/v1/search?generation=${generation}&`, undefined)
}

/** What this task holds, but the vectors of one generation stand in the wrong order. */
function copySpoiled(generation: string): string {
  // The only place of a container on a read-only root file system where everybody may write.
  const copy = '/dev/shm/data'
  mkdirSync(copy)
  for (const name of held.filter((one) => one !== generation)) symlinkSync(join(DATA, name), join(copy, name))
  const entries = readdirSync(join(DATA, generation), { recursive: true, withFileTypes: true })
  for (const { name, parentPath } of entries.filter((entry) => entry.isFile())) {
    const path = join(parentPath, name)
    const target = path.replace(DATA, copy)
    mkdirSync(dirname(target), { recursive: true })
    if (name === 'vectors.npy') writeFileSync(target, reverse(readFileSync(path)))
    else symlinkSync(path, target)
  }
  return copy
}

function reverse(vectors: Buffer): Buffer {
  vectors.subarray(HEADER_BYTES).reverse()
  return vectors
}

/** Has requests that begin so answered otherwise, or late where no answer is given. */
function intercept(prefix: string, answer: RequestListener | undefined): void {
  const { createServer } = http
  const replace = (options: ServerOptions, handler: RequestListener) =>
    createServer(options, (request, response) => {
      if (!request.url?.startsWith(prefix)) handler(request, response)
      else if (answer) answer(request, response)
      else setTimeout(() => handler(request, response), SLOW_MS)
    })
  http.createServer = replace as typeof createServer
  syncBuiltinESMExports()
}
