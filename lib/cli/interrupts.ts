import { LongshoreError } from '../domain/errors.ts'

export type Interrupts = {
  /** Aborts at the first SIGINT or SIGTERM, with `error` as its reason. */
  readonly signal: AbortSignal
  readonly error: LongshoreError
  /** The error to tell: `interrupted` for whatever an interruption itself brought about, else the error as it is. */
  explain(error: unknown): unknown
  stopListening(): void
}

/** Turns SIGINT and SIGTERM into one AbortSignal; a second one calls `onSecond`, which ends the process at once. */
export function listenForInterrupts(onSecond: () => void): Interrupts {
  const controller = new AbortController()
  const error = new LongshoreError('interrupted', 'interrupted', {
    hint: 'run the same command again: it continues',
  })
  const listener = () => (controller.signal.aborted ? onSecond() : controller.abort(error))
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, listener)
  return {
    signal: controller.signal,
    error,
    explain: (thrown) => (controller.signal.aborted && isFromAbort(thrown) ? error : thrown),
    stopListening() {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, listener)
    },
  }
}

function isFromAbort(thrown: unknown): boolean {
  // A connection that breaks because it was aborted is told as `remote` by adapters.
  if (thrown instanceof LongshoreError) return thrown.kind === 'interrupted' || thrown.kind === 'remote'
  return thrown instanceof Error && thrown.name === 'AbortError'
}
