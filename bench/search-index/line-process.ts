import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Round } from '../search/contestants.ts'

/** A process that answers every line with a round of all queries. */
export type LineProcess = { ask(line: string): Promise<Round>; stop(): Promise<void> }

export const PYTHON = '/usr/bin/python3'

/** Raises an error that tells what to install where a peer is missing. */
export function requirePeers(): void {
  try {
    execFileSync(PYTHON, ['-c', 'import faiss, hnswlib, numpy'], { stdio: 'pipe' })
  } catch (error) {
    const packages = 'python3-faiss python3-hnswlib python3-numpy'
    throw new Error(`a peer is missing: apt-get install ${packages}`, { cause: error })
  }
}

/** Starts a program that says `ready` once it can be asked. */
export async function startLineProcess(program: string, args: readonly string[]): Promise<LineProcess> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
  })
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${program} ${args[0]} has ended`)
    return value
  }
  await next()
  return {
    async ask(line) {
      child.stdin.write(`${line}\n`)
      return JSON.parse(await next()) as Round
    },
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
