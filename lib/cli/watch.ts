import { setTimeout as wait } from 'node:timers/promises'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import type { Answer } from '../flows/context.ts'
import { createScreen } from './screen.ts'

export type WatchOptions = {
  readonly everyMs: number
  readonly json: boolean
  /** Interrupts it, which is the only end that it has. */
  readonly signal: AbortSignal
  readonly stream?: NodeJS.WriteStream
  /** Called with each answer. */
  readonly onAnswer?: (answer: Answer) => Promise<void>
}

const SHORTEST_S = 0.2
const LONGEST_S = 86_400

type Viewer = { show(answer: Answer, problem?: string): void; close(): void }

/**
 * Shows an answer again and again: drawn over the former one on a terminal, elsewhere as a block with the time whenever it
 * is another one, and with `json` as a document a line. A look that fails with `remote` is told, and the next one taken;
 * that of the first is raised, and so is everything else.
 */
export async function watchAnswers(look: () => Promise<Answer>, options: WatchOptions): Promise<never> {
  const { everyMs, signal, onAnswer = async () => undefined } = options
  let answer = await look()
  const viewer = createViewer(options)
  try {
    for (let problem: string | undefined; ; ) {
      viewer.show(answer, problem)
      problem = await attempt(() => onAnswer(answer))
      await wait(everyMs, undefined, { signal })
      problem =
        (await attempt(async () => {
          answer = await look()
        })) ?? problem
    }
  } finally {
    viewer.close()
  }
}

/** A pause as the operator gives it, in milliseconds. Raises `usage`. */
export function parseSeconds(text: string, flag: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (seconds >= SHORTEST_S && seconds <= LONGEST_S) return 1000 * seconds
  throw new LongshoreError(
    'usage',
    `--${flag} ${text}: expected seconds, from ${SHORTEST_S} to ${LONGEST_S}`,
    {
      hint: `--${flag} 5 looks every five seconds`,
    },
  )
}

/** What was wrong with servers or nodes that could not be reached, in words. */
async function attempt(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (error instanceof LongshoreError && error.kind === 'remote') return messageOf(error)
    throw error
  }
}

function createViewer({ json, everyMs, stream = process.stdout }: WatchOptions): Viewer {
  if (json) return { show: (...told) => void stream.write(renderLine(...told)), close: () => undefined }
  if (!stream.isTTY || process.env.TERM === 'dumb') return createBlocks(stream)
  const screen = createScreen(stream)
  return {
    show(answer, problem) {
      const head = `${nowInWords()}, every ${everyMs / 1000} s; Ctrl-C ends it\n`
      screen.show(`${head}${renderProblem(problem)}\n${answer.text}`)
    },
    close: screen.close,
  }
}

function createBlocks(stream: NodeJS.WriteStream): Viewer {
  let former = ''
  return {
    show(answer, problem) {
      const block = `${renderProblem(problem)}${answer.text}`
      if (block !== former) stream.write(`${former && '\n'}${nowInWords()}\n${block}`)
      former = block
    },
    close: () => undefined,
  }
}

function renderLine({ outcome, json }: Answer, problem?: string): string {
  return `${JSON.stringify({ outcome, ...(problem && { problem }), ...json })}\n`
}

function renderProblem(problem: string | undefined): string {
  return problem === undefined ? '' : `cannot look: ${problem}\n`
}

function nowInWords(): string {
  return new Date().toISOString()
}
