import type { Entry } from './batch.ts'

/** Entries to be embedded by one request, and what has become of them so far. Requests are numbered as they are sent, from 1. */
export type Task = {
  readonly entries: readonly Entry[]
  /** Whether it only shows that the server embeds at all: its embeddings are not kept. */
  readonly isWitness?: boolean
  /** How often it was of no avail, without a word on what is wrong with it. */
  readonly tries: number
  /** The last request that was sent when it, or what it is a part of, was refused first. */
  readonly refusedAt?: number
  /** The last request that was sent when it was first of no avail. */
  readonly failedAt?: number
}

export type Fault = 'split' | 'overloaded' | 'transient' | 'stop'

/** The last request that was sent, and the last of all that succeeded. */
export type Sent = { readonly last: number; readonly succeeded: number }

/**
 * What becomes of a task that failed: it is sent again, or its halves are; `ask` sends it again, after a witness has shown
 * that the server embeds at all; `suspect` is an entry that cannot be embedded, as far as can be seen.
 */
export type Decision =
  | { readonly action: 'again' | 'ask' | 'suspect'; readonly task: Task }
  | { readonly action: 'split'; readonly halves: readonly [Task, Task] }
  | { readonly action: 'stop' }

/** A batch that fails so often without a word while others succeed may hold an entry that the server does not survive. */
const PATIENCE = 4

/** Decides by the fault, and by whether requests that were sent later have succeeded. */
export function decideAfterFailure(task: Task, fault: Fault, sent: Sent): Decision {
  if (fault === 'stop') return { action: 'stop' }
  if (fault === 'overloaded') return { action: 'again', task }
  if (task.isWitness) return fault === 'split' ? { action: 'stop' } : { action: 'again', task }
  if (fault === 'split') return splitOrSuspect({ refusedAt: sent.last, ...task }, 0)
  const tried = { failedAt: sent.last, ...task, tries: task.tries + 1 }
  if (tried.tries < PATIENCE) return { action: 'again', task: tried }
  if (sent.succeeded <= tried.failedAt) return { action: 'ask', task: tried }
  // Halves have been tried as often already; an entry alone is given all of the patience again.
  return splitOrSuspect({ ...tried, refusedAt: sent.last }, PATIENCE - 1)
}

function splitOrSuspect(task: Task, tries: number): Decision {
  const { entries, refusedAt } = task
  if (entries.length === 1) return { action: 'suspect', task }
  const middle = Math.ceil(entries.length / 2)
  const makePart = (part: readonly Entry[]): Task => ({
    entries: part,
    tries: part.length === 1 ? 0 : tries,
    ...(refusedAt !== undefined && { refusedAt }),
  })
  return { action: 'split', halves: [makePart(entries.slice(0, middle)), makePart(entries.slice(middle))] }
}
