/** Runs a benchmark against its peer: `npm run bench -- <name> [--quick]`; the last line is `RESULT {...}`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const names = globSync('*/main.ts', { cwd: import.meta.dirname })
  .map((file) => file.split(/[\\/]/)[0]!)
  .sort()
const [name, ...options] = process.argv.slice(2)
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- <${names.join(' | ')}> [--quick]`)
  process.exitCode = 2
} else {
  process.exitCode = await runBenchmark(name, options)
}

/** Prints what a benchmark prints; its exit code, or 1 when its last line is no result. */
async function runBenchmark(benchmark: string, args: string[]): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, benchmark, 'main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // The benchmark ends by itself, and may have something to tell.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const ended = once(child, 'exit')
  let last = ''
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line)
    last = line
  }
  const [code] = (await ended) as [number | null]
  if (code !== 0) return code ?? 1
  if (last.startsWith('RESULT {')) return 0
  console.error(`${benchmark} ended without a RESULT line`)
  return 1
}
