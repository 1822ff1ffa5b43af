import { EMPTY_RECORD, type FleetRecord, type JournalEntry } from './record.ts'

/** Who works on a fleet. Times are ISO 8601 by the owner's own clock, for people only. */
export type Hold = {
  readonly owner: string
  readonly doing: string
  readonly since: string
  readonly renewedAt: string
  readonly released: boolean
  /** The owner's process, as its machine can find it. */
  readonly process: unknown
}

/**
 * Everything that a fleet remembers, in one document. Each state of it has a number and is written once under that
 * number: whoever writes the next number first has made the change, and nobody can write it again.
 */
export type Memory = {
  /** Grows with every lease. */
  readonly fence: number
  /** Tells apart two processes that write the same number. */
  readonly writer: string
  readonly hold: Hold | null
  readonly record: FleetRecord
  /** The newest lines, oldest first. */
  readonly journal: readonly JournalEntry[]
}

export const EMPTY_MEMORY: Memory = { fence: 0, writer: '', hold: null, record: EMPTY_RECORD, journal: [] }

const MOST_LINES = 200
/** A config of a Swarm holds less than 500 KB. */
const MOST_BYTES = 400_000

/** The memory as it is once somebody has taken the lock; `floor` is the largest fence seen anywhere else. */
export function withHold(
  memory: Memory,
  { hold, writer, floor }: { readonly hold: Hold; readonly writer: string; readonly floor: number },
): Memory {
  return { ...memory, hold, writer, fence: Math.max(memory.fence, floor) + 1 }
}

export function withRenewal(memory: Memory, at: string): Memory {
  return { ...memory, hold: memory.hold && { ...memory.hold, renewedAt: at } }
}

export function withoutHold(memory: Memory): Memory {
  return { ...memory, hold: memory.hold && { ...memory.hold, released: true } }
}

export function withEntry(memory: Memory, entry: JournalEntry): Memory {
  return { ...memory, journal: [...memory.journal, entry].slice(-MOST_LINES) }
}

/** The document as it is kept; the oldest lines of the journal make room where there is too much. */
export function renderMemory(memory: Memory): string {
  const text = JSON.stringify(memory)
  if (Buffer.byteLength(text) <= MOST_BYTES || memory.journal.length === 0) return text
  return renderMemory({ ...memory, journal: memory.journal.slice(Math.ceil(memory.journal.length / 2)) })
}

/** Raises SyntaxError for what is no document. */
export function parseMemory(text: string): Memory {
  const { record, ...memory } = JSON.parse(text) as Partial<Memory>
  return { ...EMPTY_MEMORY, ...memory, record: { ...EMPTY_RECORD, ...record } }
}

/** The name of the config that holds state `number` of a fleet's memory. */
export function memoryName(fleet: string, number: number): string {
  return `${memoryPrefix(fleet)}${number}`
}

export function memoryPrefix(fleet: string): string {
  return `longshore.${fleet}.memory.`
}

/** The numbers of a fleet's states among names of configs, oldest first. */
export function findNumbers(names: readonly string[], fleet: string): number[] {
  const prefix = memoryPrefix(fleet)
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b)
}
