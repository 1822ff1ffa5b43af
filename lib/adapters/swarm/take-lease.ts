import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { type Hold, withHold } from '../../domain/swarm-memory.ts'
import type { Claim } from '../../ports/state-store.ts'
import { pause } from '../process/pause.ts'
import { identifyProcess, isDead, type ProcessIdentity } from '../process/process-identity.ts'
import { describeHold, type HeldLease, keepLease } from './lease.ts'
import type { Head, MemoryLog } from './memory-log.ts'

export type TakeSettings = {
  readonly log: MemoryLog
  readonly leaseMs: number
  /** The largest fence seen outside the memory, should that have been deleted. */
  readonly readFloor: (signal: AbortSignal) => Promise<number>
  readonly signal: AbortSignal
}

/** Takes the lock, or raises `locked` telling who has it. */
export async function takeLease(claim: Claim, settings: TakeSettings): Promise<HeldLease> {
  const { log, leaseMs, readFloor, signal } = settings
  const writer = randomUUID()
  for (;;) {
    const head = await log.readHead({ signal })
    if (isTaken(head)) await waitForSilence(head, settings)
    const floor = head.number === 0 ? await readFloor(signal) : 0
    const memory = withHold(head.memory, { hold: createHold(claim), writer, floor })
    const number = head.number + 1
    if (await log.create(number, memory, { signal })) {
      return keepLease({ number, memory }, { log, leaseMs })
    }
    const winner = await log.readHead({ signal })
    if (winner.memory.writer === writer) return keepLease(winner, { log, leaseMs })
  }
}

/**
 * Resolves when nobody renews the lock any more; raises `locked` when somebody does. Clocks of other machines are
 * believed only where they say that it is too early: taking over needs a whole lease time, by this machine's own clock,
 * in which nothing was written.
 */
async function waitForSilence(head: Head, { log, leaseMs, signal }: TakeSettings): Promise<void> {
  const { hold } = head.memory
  if (isDeadHere(hold!.process as OwnProcess)) return
  const age = (await log.readClock({ signal })) - Date.parse(head.createdAt)
  if (age >= 0 && age < leaseMs) throw describeHold(hold!)
  const end = performance.now() + leaseMs
  while (performance.now() < end) {
    await pause(Math.min(1000, leaseMs / 5), signal)
    const next = await log.readHead({ signal })
    if (!isTaken(next)) return
    if (next.number !== head.number) throw describeHold(next.memory.hold!)
  }
}

function isTaken({ memory }: Head): boolean {
  return memory.hold !== null && !memory.hold.released
}

function createHold(claim: Claim): Hold {
  const now = new Date().toISOString()
  const process: OwnProcess = { ...identifyProcess(), world: readWorld() }
  return { ...claim, since: now, renewedAt: now, released: false, process }
}

/** Machines may have the same name; no two have the same boot, and no two containers of one the same processes. */
type OwnProcess = ProcessIdentity & { readonly world: string | null }

function isDeadHere(process: OwnProcess): boolean {
  return process.world !== null && process.world === readWorld() && isDead(process)
}

/** Where process numbers mean the same: one boot of one machine, and there one namespace. */
function readWorld(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    // A system without /proc: its dead processes are found by their silence.
    return null
  }
}
