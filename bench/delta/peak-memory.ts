import { globSync, readFileSync } from 'node:fs'

/** The most memory that a process has had so far, in bytes; 0 for one that has ended. */
export function readPeak(pid: number | 'self'): number {
  // Not what getrusage tells: where a process was started by a larger one, that begins with the memory of the latter.
  const status = readIfThere(`/proc/${pid}/status`)
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0)
}

/** The children of this process. */
export function listChildren(): number[] {
  return globSync('/proc/self/task/*/children')
    .flatMap((path) => readIfThere(path).split(' '))
    .filter(Boolean)
    .map(Number)
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // It has ended meanwhile.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}
