import { nameStep } from '../../domain/plan.ts'
import type { Progress, Reporter, StepEvent } from '../../ports/reporter.ts'
import { renderAmount, renderDuration } from '../quantities.ts'
import { renderGates } from '../render-gates.ts'
import { renderPlan } from '../render-plan.ts'
import type { ClosableReporter, Sink } from './choose.ts'

const PROGRESS_EVERY_MS = 10_000

/** Tells the story in plain lines, for logs: one for each event, progress at most once in 10 s for each task. */
export function createPlainReporter(
  sink: Sink,
  now: () => number = () => performance.now(),
): ClosableReporter {
  const lastTold = new Map<string, number>()
  const isDue = ({ task }: Progress) => {
    const last = lastTold.get(task)
    if (last === undefined) lastTold.set(task, now())
    if (last === undefined || now() - last < PROGRESS_EVERY_MS) return false
    lastTold.set(task, now())
    return true
  }
  const reporter: Reporter = {
    plan: (plan) => void sink.write(renderPlan(plan)),
    step: (event) => void sink.write(`${renderStepEvent(event)}\n`),
    progress: (progress) => void (isDue(progress) && sink.write(`${renderProgress(progress)}\n`)),
    gates: (title, results) => void sink.write(`${title}\n${renderGates(results)}`),
    note: (message) => void sink.write(`${message}\n`),
  }
  return { ...reporter, close: () => lastTold.clear() }
}

/** A step event in one line: `done load index_0 on node-1 (2.1 s): detail`. */
export function renderStepEvent({ step, state, tookMs, detail }: StepEvent): string {
  const took = tookMs === undefined ? '' : ` (${renderDuration(tookMs)})`
  const cause = state === 'started' ? `: ${step.cause}` : ''
  return `${state} ${nameStep(step)}${took}${detail ? `: ${detail}` : cause}`
}

function renderProgress({ task, done, total, unit }: Progress): string {
  const share = total ? `, ${Math.floor((100 * done) / total)} %` : ''
  return `${task}: ${renderAmount(done, unit)}${total ? ` of ${renderAmount(total, unit)}` : ''}${share}`
}
