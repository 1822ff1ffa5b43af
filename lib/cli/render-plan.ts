import type { Plan, Step } from '../domain/plan.ts'
import { renderTable } from '../domain/table.ts'
import { type Paint, PLAIN } from './colours.ts'
import { renderBytes, renderDuration } from './quantities.ts'

/** A plan as a table, and how much it carries: the dry run that operators read. */
export function renderPlan({ steps }: Plan, paint: Paint = PLAIN): string {
  if (steps.length === 0) return 'Nothing to do.\n'
  const rows = steps.map((step) => [
    String(step.batch),
    step.action,
    step.target,
    step.node ?? '',
    step.bytes === undefined ? '' : renderBytes(step.bytes),
    step.cause,
  ])
  const head = ['batch', 'action', 'target', 'node', 'bytes', 'cause'].map((word) => paint('dim', word))
  return `${renderTable(rows, { head, right: [0, 4] })}${renderSum(steps)}\n`
}

function renderSum(steps: readonly Step[]): string {
  const bytes = steps.reduce((sum, step) => sum + (step.bytes ?? 0), 0)
  const batches = new Set(steps.map((step) => step.batch)).size
  const carried = bytes > 0 ? `, ${renderBytes(bytes)} to carry${renderSent(steps)}` : ''
  return `${countOf(steps.length, 'step', 'steps')} in ${countOf(batches, 'batch', 'batches')}${carried}`
}

/** What leaves this machine at the most, and how long it takes, with what that is told from. */
function renderSent(steps: readonly Step[]): string {
  const sent = steps.reduce((sum, step) => sum + (step.sent ?? 0), 0)
  return sent > 0 ? ` (at most ${renderBytes(sent)} from here, ${renderTime(steps)})` : ''
}

function renderTime(steps: readonly Step[]): string {
  const known = steps.filter(({ estimatedMs }) => estimatedMs !== undefined)
  if (known.length === 0) return 'time unknown until measured'
  const [longest] = known.sort((a, b) => b.estimatedMs! - a.estimatedMs!) as [Step]
  const source =
    longest.estimatedFrom === 'limits'
      ? 'by the limits'
      : `from the delivery of ${longest.estimatedFrom?.slice(0, 10)}`
  return `about ${renderDuration(longest.estimatedMs!)} ${source}`
}

function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
