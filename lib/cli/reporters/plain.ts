import { nameStep } from '../../domain/plan.ts'
import type { Progress, Reporter, StepEvent } from '../../ports/reporter.ts'
import { renderDuration } from '../quantities.ts'
import { renderGates } from '../render-gates.ts'
import { renderPlan } from '../render-plan.ts'
import type { ClosableReporter, Sink } from './choose.ts'
import { renderStory, type Start } from './progress-bars.ts'

const PROGRESS_EVERY_MS = 10_000

/** Tells the story in plain lines, for logs: one for each event, progress at most once in 10 s for each task. */
export function createPlainReporter(
  sink: Sink,
  now: () => number = () => performance.now(),
): ClosableReporter {
  const starts = new Map<string, Start>()
  const lastTold = new Map<string, number>()
  const isDue = ({ task, done }: Progress) => {
    const last = lastTold.get(task)
    if (last === undefined) {
      starts.set(task, { done, at: now() })
      lastTold.set(task, now())
    }
    if (last === undefined || now() - last < PROGRESS_EVERY_MS) return false
    lastTold.set(task, now())
    return true
  }
  const tell = (progress: Progress) => {
    const story = renderStory(progress, starts.get(progress.task)!, now())
    sink.write(`${progress.task}: ${story}${renderShare(progress)}\n`)
  }
  const reporter: Reporter = {
    plan: (plan) => void sink.write(renderPlan(plan)),
    step: (event) => void sink.write(`${renderStepEvent(event)}\n`),
    progress: (progress) => void (isDue(progress) && tell(progress)),
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

function renderShare({ done, total }: Progress): string {
  return total ? `, ${Math.floor((100 * done) / total)} %` : ''
}
