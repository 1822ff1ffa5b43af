import { relative } from 'node:path'

/** About how many seconds files take beside others, where that is much; the rest take less. */
export const SECONDS: Readonly<Record<string, number>> = {
  'swarm/update.test.ts': 240,
  'swarm/verify.test.ts': 120,
}

/** The same files, those first that take longest, so that all lanes end together. */
export function longestFirst(files: readonly string[]): string[] {
  const secondsOf = (file: string) => SECONDS[relative('test', file)] ?? 0
  return files.toSorted((a, b) => secondsOf(b) - secondsOf(a))
}
