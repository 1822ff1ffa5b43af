import { describePlan } from '../../domain/plan.ts'
import type { ClosableReporter, Sink } from './choose.ts'

/** Tells the story to programs, one JSON object a line; progress is left out, the rest stands in the final document. */
export function createJsonLinesReporter(sink: Sink): ClosableReporter {
  const tell = (event: string, members: Record<string, unknown>) =>
    void sink.write(`${JSON.stringify({ event, ...members })}\n`)
  return {
    plan: (plan) => tell('plan', { plan: describePlan(plan) }),
    step: ({ step, ...rest }) => {
      const { batch, action, target, node, cause } = step
      tell('step', { batch, action, target, node: node ?? null, cause, ...rest })
    },
    progress: () => undefined,
    gates: (title, gates) => tell('gates', { title, gates }),
    note: (message) => tell('note', { message }),
    close: () => undefined,
  }
}
