import type { Comparison, Quality } from '../../domain/comparison.ts'
import type { GateResult } from '../../domain/quality.ts'
import type { Interval } from '../../domain/rank-quality.ts'
import type { MovedThreshold } from '../../domain/score-threshold.ts'
import { type Html, type HtmlValue, html } from './html.ts'

/** Rows with a head; a table wider than the page is scrolled by itself. */
export function renderTable(head: readonly string[], rows: readonly (readonly HtmlValue[])[]): Html {
  return html`<div class="scroll"><table>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}</tbody>
</table></div>`
}

export function renderGates(gates: readonly GateResult[]): Html {
  return renderTable(
    ['gate', 'measured', 'limit', 'detail'],
    gates.map(({ name, measured, limit, passed, detail }) => [
      html`<span class="${passed ? 'good' : 'bad'}">${passed ? '✔' : '✖'} ${name}</span>`,
      digits(measured),
      limit,
      detail,
    ]),
  )
}

/** Quality with its intervals, and drift, which is no verdict. */
export function renderComparison({ judged, quality, kept, drift }: Comparison): Html {
  const measures: [string, keyof Quality][] = [
    ['recall@10', 'recall'],
    ['nDCG@10', 'ndcg'],
    ['MRR', 'mrr'],
  ]
  const rows: HtmlValue[][] = [
    ...(quality ? measures : []).map(([name, key]) => [
      name,
      interval(quality!.before[key]),
      interval(quality!.after[key]),
    ]),
    ...(kept
      ? [
          ['precision at the threshold', digits(kept.before.precision), digits(kept.after.precision)],
          ['recall at the threshold', digits(kept.before.recall), digits(kept.after.recall)],
        ]
      : []),
  ]
  return html`${
    quality
      ? renderTable([`of ${judged} judged queries`, 'before', 'after'], rows)
      : html`<p>No query is judged: nothing is compared.</p>`
  }
${
  drift &&
  html`<p class="faint">Drift of ${drift.queries} sampled items as queries, no verdict: overlap@10 ${digits(drift.overlap)},
RBO ${digits(drift.rbo)}, Kendall's tau ${digits(drift.tau)}.</p>`
}`
}

export function renderThreshold({ before, after }: MovedThreshold): Html {
  return renderTable(
    ['threshold', 'before', 'after'],
    [
      ['score', digits(before.score), digits(after.score)],
      ['share of random items that pass', digits(before.falseMatches), digits(after.falseMatches)],
    ],
  )
}

/** A number with as many digits as can be read. */
export function digits(value: number): string {
  return String(Number(value.toPrecision(4)))
}

function interval({ mean, low, high }: Interval): string {
  return `${mean.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`
}
