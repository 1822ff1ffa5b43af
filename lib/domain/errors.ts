/** The kinds of failure an operator can meet, and the exit code of each (the one table of the product). */
export const EXIT_CODES = {
  bug: 1,
  usage: 2,
  partial: 3,
  aborted: 4,
  'not-found': 10,
  locked: 11,
  corrupt: 12,
  gate: 13,
  quarantined: 14,
  'rolled-back': 20,
  stuck: 21,
  remote: 30,
  interrupted: 130,
} as const

export type ErrorKind = keyof typeof EXIT_CODES

/** How a command ended, as told in `--json`. */
export type Outcome =
  | 'done'
  | 'nothing-to-do'
  | 'refused'
  | 'rolled-back'
  | 'partial'
  | 'stuck'
  | 'failed'
  | 'aborted'

const OUTCOMES: Partial<Record<ErrorKind, Outcome>> = {
  partial: 'partial',
  aborted: 'aborted',
  interrupted: 'aborted',
  locked: 'refused',
  gate: 'refused',
  quarantined: 'refused',
  'rolled-back': 'rolled-back',
  stuck: 'stuck',
}

export interface ErrorOptions {
  /** The next command or edit that helps. */
  readonly hint?: string
  readonly cause?: unknown
  /** `fleet`: what runs the tasks failed or was changed by others, not what they run: no generation is to blame. */
  readonly blame?: 'fleet' | undefined
  /** Further facts for `--json`, merged into the answer beside `error`. */
  readonly answer?: Record<string, unknown>
}

/** A failure that is told to the operator without a stack: what, where, and what to do next. */
export class LongshoreError extends Error {
  override readonly name = 'LongshoreError'
  readonly kind: ErrorKind
  readonly hint: string | undefined
  readonly blame: 'fleet' | undefined
  readonly answer: Record<string, unknown>

  constructor(kind: ErrorKind, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.kind = kind
    this.hint = options.hint
    this.blame = options.blame
    this.answer = options.answer ?? {}
  }
}

/** The exit code of any thrown value: a bug unless it is ours. */
export function exitCodeOf(error: unknown): number {
  return error instanceof LongshoreError ? EXIT_CODES[error.kind] : EXIT_CODES.bug
}

/** The outcome of any thrown value. */
export function outcomeOf(error: unknown): Outcome {
  return error instanceof LongshoreError ? (OUTCOMES[error.kind] ?? 'failed') : 'failed'
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
