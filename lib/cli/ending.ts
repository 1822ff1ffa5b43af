import { writeSync } from 'node:fs'
import { exitCodeOf, LongshoreError, messageOf, outcomeOf } from '../domain/errors.ts'
import type { Answer } from '../flows/context.ts'
import { renderPlan } from './render-plan.ts'

/** Exit code of a process whose command never ended: an await that nothing settles. */
const UNFINISHED = 70
/** How long open handles may keep a process that has told its answer. */
const LINGER_MS = 1000
const BUG_HINT = 'this is a bug in Longshore; please report it with what stands on stderr'

export type Ending = {
  succeed(answer: Answer): Promise<void>
  fail(error: unknown): Promise<void>
  /** As fail, then ends the process at once. */
  failNow(error: unknown): void
  showHelp(text: string): Promise<void>
}

export type EndingOptions = {
  readonly command: string
  /** One document on stdout, whatever happens. */
  readonly json: boolean
  /** No word when there was nothing to do. */
  readonly quiet?: boolean
  /** The document is one line, as those before it. */
  readonly isStream?: boolean
}

/**
 * Tells once how a command ended, on stdout and by the exit code: the answer, or `error:` and `hint:` on stderr; under
 * `json` one document on stdout instead, also when the process dies of an uncaught error or ends without an answer.
 */
export function createEnding({ command, json, quiet = false, isStream = false }: EndingOptions): Ending {
  const startedAt = performance.now()
  let told = false
  const tell = (exitCode: number, { out, err }: Told): Promise<void> => {
    if (told) return Promise.resolve()
    told = true
    process.exitCode = exitCode
    if (err) process.stderr.write(err)
    return writeOut(out)
  }
  const headOf = (outcome: string, exitCode: number) => ({
    command,
    outcome,
    exitCode,
    tookMs: Math.round(performance.now() - startedAt),
  })
  const tellFailure = (error: unknown) => {
    const exitCode = exitCodeOf(error)
    const document = {
      ...headOf(outcomeOf(error), exitCode),
      ...answerOf(error),
      error: describeError(error),
    }
    const err = json && error instanceof LongshoreError ? '' : renderError(error)
    return tell(exitCode, { out: json ? renderDocument(document) : '', err })
  }
  const renderDocument = (document: Record<string, unknown>) =>
    `${JSON.stringify(document, null, isStream ? 0 : 2)}\n`
  const ending: Ending = {
    succeed(answer) {
      const document = { ...headOf(answer.outcome, 0), ...answer.json }
      if (json) return tell(0, { out: renderDocument(document), err: '' })
      const isNews = answer.outcome !== 'nothing-to-do' || answer.plan !== undefined
      return tell(0, { out: isNews || !quiet ? renderAnswer(answer) : '', err: '' })
    },
    fail: tellFailure,
    failNow(error) {
      void tellFailure(error)
      process.exit()
    },
    showHelp: (text) => tell(0, { out: text, err: '' }),
  }
  process.exitCode = UNFINISHED
  ignoreClosedReaders()
  process.once('uncaughtException', ending.failNow)
  process.once('exit', () => {
    if (told) return
    const error = { kind: 'bug', message: `${command} ended without an answer`, hint: BUG_HINT }
    if (json) writeSync(1, renderDocument({ ...headOf('failed', UNFINISHED), error }))
    writeSync(2, `error: ${error.message}\nhint: ${BUG_HINT}\n`)
  })
  return ending
}

type Told = { readonly out: string; readonly err: string }

/** The `error` member of a document. */
function describeError(error: unknown): { kind: string; message: string; hint: string | null } {
  if (!(error instanceof LongshoreError)) return { kind: 'bug', message: messageOf(error), hint: BUG_HINT }
  return { kind: error.kind, message: error.message, hint: error.hint ?? null }
}

function answerOf(error: unknown): Record<string, unknown> {
  return error instanceof LongshoreError ? error.answer : {}
}

/** A failure as the operator reads it: what and where, then the next command; a stack for bugs alone. */
export function renderError(error: unknown): string {
  if (!(error instanceof LongshoreError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return `error: ${stack}\nhint: ${BUG_HINT}\n`
  }
  const message = error.message.replaceAll('\n', '\n       ')
  return `error: ${message}\n${error.hint ? `hint: ${error.hint}\n` : ''}`
}

function renderAnswer({ plan, text }: Answer): string {
  return `${plan ? renderPlan(plan) : ''}${endLine(text)}`
}

function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}

/** Resolves once stdout has taken the text; then lets no forgotten handle keep the process. */
function writeOut(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => {
      setTimeout(() => process.exit(), LINGER_MS).unref()
      resolve()
    })
  })
}

/** A reader that has seen enough (`| head`) is no failure of the command. */
function ignoreClosedReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}
