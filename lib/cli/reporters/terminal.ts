import { nameStep, type Plan } from '../../domain/plan.ts'
import type { GateResult } from '../../domain/quality.ts'
import type { StepEvent } from '../../ports/reporter.ts'
import { createPaint } from '../colours.ts'
import { renderDuration } from '../quantities.ts'
import { renderGates } from '../render-gates.ts'
import { renderPlan } from '../render-plan.ts'
import type { ClosableReporter } from './choose.ts'
import { createProgressBars } from './progress-bars.ts'

/** Tells the story on a terminal: tables, a mark for each step, and a bar with rate and remaining time for each task. */
export function createTerminalReporter(stream: NodeJS.WriteStream): ClosableReporter {
  const paint = createPaint(stream)
  const bars = createProgressBars(stream)
  // Also when a second Ctrl-C ends the process at once, the cursor has to come back.
  process.once('exit', bars.stop)
  return {
    plan: (plan: Plan) => bars.write(renderPlan(plan, paint)),
    step: (event: StepEvent) => bars.write(renderEvent(event)),
    progress: bars.update,
    gates: (title: string, results: readonly GateResult[]) =>
      bars.write(`${paint('bold', title)}\n${renderGates(results, paint)}`),
    note: (message: string) => bars.write(`${message}\n`),
    close: bars.stop,
  }

  function renderEvent({ step, state, tookMs, detail }: StepEvent): string {
    const line = nameStep(step)
    if (state === 'started') return paint('dim', `… ${line}: ${step.cause}\n`)
    const took = tookMs === undefined ? '' : paint('dim', ` ${renderDuration(tookMs)}`)
    const mark = state === 'done' ? paint('green', '✔') : paint('red', '✖')
    return `${mark} ${line}${took}${detail ? `: ${detail}` : ''}\n`
  }
}
