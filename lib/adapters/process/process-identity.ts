import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** One process among all that ever had its number. `startTicks` is null where the system does not tell it. */
export type ProcessIdentity = {
  readonly host: string
  readonly pid: number
  readonly startTicks: string | null
}

export function identifyProcess(pid = process.pid): ProcessIdentity {
  return { host: hostname(), pid, startTicks: readStatus(pid)?.startTicks ?? null }
}

/** Whether a process is known to have ended; false for one on another host, of which nothing is known. */
export function isDead({ host, pid, startTicks }: ProcessIdentity): boolean {
  if (host !== hostname()) return false
  if (!isRunning(pid)) return true
  const status = readStatus(pid)
  if (!status) return false
  return status.isZombie || (startTicks !== null && status.startTicks !== startTicks)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process may be looked at, but not signalled.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

type Status = {
  /** Ended with all its threads, and not yet, maybe never, collected by its parent. */
  readonly isZombie: boolean
  /** Clock ticks from the start of the machine to that of the process. */
  readonly startTicks: string
}

/** Fields 3, 20 and 22 of /proc/PID/stat, see proc(5). */
function readStatus(pid: number): Status | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Field 2 is the program's name in brackets, and may itself hold brackets and blanks.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { isZombie: fields[0] === 'Z' && Number(fields[17]) <= 1, startTicks: fields[19]! }
  } catch {
    // No such process any more, or a system without /proc.
    return undefined
  }
}
