import type { GateResult } from '../domain/quality.ts'
import { renderTable } from '../domain/table.ts'
import { type Paint, PLAIN } from './colours.ts'
import { renderMeasure } from './quantities.ts'

/** Gates as a table: what was measured, the limit, and the verdict. */
export function renderGates(results: readonly GateResult[], paint: Paint = PLAIN): string {
  const rows = results.map(({ name, measured, limit, passed, detail }) => [
    passed ? paint('green', '✔') : paint('red', '✖'),
    name,
    renderMeasure(measured),
    limit,
    detail ?? '',
  ])
  const head = ['', 'gate', 'measured', 'limit', 'detail'].map((word) => paint('dim', word))
  return renderTable(rows, { head, right: [2] })
}
