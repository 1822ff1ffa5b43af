import { createInterface } from 'node:readline/promises'
import { LongshoreError } from '../domain/errors.ts'
import type { Plan } from '../domain/plan.ts'
import { renderPlan } from './render-plan.ts'

type TerminalInput = NodeJS.ReadableStream & { readonly isTTY?: boolean }
type TerminalOutput = NodeJS.WritableStream & { readonly isTTY?: boolean }

export type ConfirmOptions = {
  readonly command: string
  readonly yes: boolean
  /** Whether the plan has yet to be shown, because the reporter keeps silent. */
  readonly showPlan: boolean
  readonly signal: AbortSignal
  readonly input?: TerminalInput
  readonly output?: TerminalOutput
}

/**
 * Asks on stderr whether a plan shall be carried out. The function made raises `aborted` for any answer but yes, and
 * `usage` where nobody can be asked: without a terminal a closed stdin would else count as an answer.
 */
export function createConfirm(options: ConfirmOptions): (plan: Plan) => Promise<void> {
  const { yes, showPlan, command, input = process.stdin, output = process.stderr, signal } = options
  return async (plan) => {
    if (yes) return
    if (!input.isTTY || !output.isTTY) {
      throw new LongshoreError('usage', 'there is no terminal to ask for a confirmation on', {
        hint: `npx zx scripts/${command}.mjs --yes carries the plan out without asking; --dry-run only shows it`,
      })
    }
    if (showPlan) output.write(renderPlan(plan))
    const question = `Carry out ${plan.steps.length === 1 ? 'this step' : `these ${plan.steps.length} steps`}? [y/N] `
    const reply = await ask(question, { input, output, signal })
    if (!/^y(es)?$/i.test(reply.trim())) throw new LongshoreError('aborted', 'aborted; nothing was changed')
  }
}

type Terminal = { input: TerminalInput; output: TerminalOutput; signal: AbortSignal }

async function ask(question: string, { input, output, signal }: Terminal): Promise<string> {
  const terminal = createInterface({ input, output })
  // readline takes Ctrl-C for itself while it asks.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  // The end of input would leave the question pending for ever.
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
  try {
    return await Promise.race([terminal.question(question, { signal }), ended])
  } finally {
    terminal.close()
  }
}
