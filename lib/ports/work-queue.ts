/** A message that one worker holds for some time. */
export type Delivery = {
  /** Names this holding of the message; one that was given to another worker since has another token. */
  readonly token: string
  readonly body: string
  /** When it was published, in milliseconds since the epoch. */
  readonly sentAt: number
}

/** A message that nobody could work off, and why. */
export type DeadLetter = { readonly body: string; readonly reason: string; readonly diedAt: number }

/** What a queue holds. */
export type QueueDepth = {
  /** Messages that nobody has begun with. */
  readonly waiting: number
  /** Messages that workers hold. */
  readonly held: number
  readonly dead: number
  /** When the oldest message that is not worked off was published; undefined where there is none. */
  readonly oldestSentAt: number | undefined
}

/** What became of messages that a worker held. */
export type Settlement = {
  readonly done?: readonly Delivery[]
  /** To be given to the next who asks, at once. */
  readonly back?: readonly Delivery[]
  readonly dead?: readonly { readonly delivery: Delivery; readonly reason: string }[]
}

/**
 * Messages from whoever sends items to workers of any number of processes. Every message is given out at least once:
 * again where a worker has died, or has held it for too long without a word.
 */
export interface WorkQueue {
  /** Adds messages, all or none; on disk when it resolves. False where there is no room. Raises `remote` when the disk is full. */
  publish(bodies: readonly string[]): Promise<boolean>
  /** At most so many messages, oldest first; none where all are held or done. */
  lease(most: number): Promise<readonly Delivery[]>
  /** Holds everything for longer that was leased here and not settled. */
  extend(): Promise<void>
  settle(settlement: Settlement): Promise<void>
  depth(): Promise<QueueDepth>
}

/** Messages that were given up, kept until somebody looks at them. */
export interface DeadLetters {
  /** The newest, at most so many. */
  listDead(most: number): Promise<readonly DeadLetter[]>
  /** Publishes all of them anew; how many they were. */
  reviveDead(): Promise<number>
}

export type OpenQueue = WorkQueue & DeadLetters & { close(): Promise<void> }

/** Keeps the queue of a fleet. */
export interface WorkQueueStore {
  /** Raises `corrupt`, and `remote` when the disk is full. */
  open(): Promise<OpenQueue>
}
