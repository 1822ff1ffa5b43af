import { readdir, readFile } from 'node:fs/promises'

/** Environment variable that every process of one test file inherits, detached ones too. */
export const MARK = 'LONGSHORE_TEST_MARK'

/** Kills every process that still carries the mark. Looks them up in /proc; where there is none, nothing is killed. */
export async function killLeftovers(mark: string): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const left = await findMarked(mark)
    if (left.length === 0) return
    for (const pid of left) kill(pid)
  }
}

/** Ids of the processes that carry the mark, without this one. */
export async function findMarked(mark: string): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => [])
  const pids = entries.filter((entry) => /^\d+$/.test(entry)).map(Number)
  const marked = await Promise.all(pids.map(async (pid) => ((await hasMark(pid, mark)) ? [pid] : [])))
  return marked.flat().filter((pid) => pid !== process.pid)
}

async function hasMark(pid: number, mark: string): Promise<boolean> {
  // Processes of other users and those that have just ended cannot be read: neither is ours to kill.
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
  return environment.split('\0').includes(`${MARK}=${mark}`)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
