import type { MigrationReport, ReportedGeneration } from '../../domain/migration-report.ts'
import { renderMap, renderRate, renderScores } from './charts.ts'
import { type Html, html } from './html.ts'
import { STYLE } from './style.ts'
import { digits, renderComparison, renderGates, renderTable, renderThreshold } from './tables.ts'

/** A report as one page that loads nothing: no script, no font, no picture from elsewhere. */
export function renderPage(report: MigrationReport): string {
  const { before, after, createdAt } = report
  const title = `${after.generation} against ${before.generation}`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${title}</h1>
<p class="faint">${createdAt}</p>
${renderGenerations(before, after)}
${renderVerdict(report)}
${renderWork(report)}
${renderSpaces(report)}
${renderRejects(report)}
</body>
</html>
`.text
}

function renderGenerations(before: ReportedGeneration, after: ReportedGeneration): Html {
  const row = (name: string, { generation, digest, model, items }: ReportedGeneration) => [
    html`<span class="key ${name}">${name}</span>`,
    html`${generation}<br><span class="faint">${digest.slice(0, 19)}…</span>`,
    `${model.name}@${model.version}`,
    `${model.dimensions}, ${model.metric}`,
    items,
  ]
  return renderTable(
    ['', 'generation', 'model', 'dimensions, metric', 'items'],
    [row('before', before), row('after', after)],
  )
}

function renderVerdict({ gates, comparison, threshold }: MigrationReport): Html {
  return html`<h2>What is found</h2>
${gates.length > 0 && renderGates(gates)}
${comparison ? renderComparison(comparison) : html`<p>The generations were not asked anything yet: migrate does.</p>`}
${threshold && renderThreshold(threshold)}`
}

function renderWork({ work }: MigrationReport): Html {
  const { device, items, calls, tokens, retries, tookMs, rate } = work
  const seconds = tookMs / 1000
  const told = [
    `${items} embedded on ${device} by ${calls} calls in ${digits(seconds)} s`,
    `${digits(items / Math.max(0.001, seconds))} a second`,
    ...(tokens > 0 ? [`${tokens} tokens`] : []),
    ...(retries > 0 ? [`calls sent again: ${retries}`] : []),
  ]
  return html`<h2>Extraction</h2>
<p>${items === 0 ? 'Everything was known: no call to the model.' : `${told.join(', ')}.`}</p>
${rate.length > 0 && html`<figure class="wide"><h3>Items a second</h3>${renderRate(rate)}</figure>`}`
}

function renderSpaces({ spaces, threshold }: MigrationReport): Html {
  const { items, scores, overlap, map } = spaces
  return html`<h2>The same ${items} items under both models</h2>
<p class="faint">Drawn at random. How different they look is no verdict on either model.</p>
<div class="charts">
<figure><h3>Scores before</h3>${renderScores(scores.before, { series: 'before', threshold: threshold?.before.score })}
<p class="faint"><span class="key">any two items</span><span class="key before">nearest ten</span></p></figure>
<figure><h3>Scores after</h3>${renderScores(scores.after, { series: 'after', threshold: threshold?.after.score })}
<p class="faint"><span class="key">any two items</span><span class="key after">nearest ten</span></p></figure>
</div>
${renderTable(
  ['nearest items that stay', ...overlap.map(({ k }) => `@${k}`)],
  [['mean share', ...overlap.map((one) => digits(one.overlap))]],
)}
<h2>Map</h2>
<figure class="wide">${renderMap(map.items)}
<p class="faint"><span class="key before">before</span><span class="key after">after</span> The first two principal axes of either model, which
show ${digits(100 * map.explained.before)} % and ${digits(100 * map.explained.after)} % of the variance, turned onto each other. Lines join items
that lost more than half of their ten nearest ones.</p></figure>`
}

function renderRejects({ rejects }: MigrationReport): Html {
  const { count, listed } = rejects
  if (count === 0) return html`<h2>Dead letters</h2><p>None: every item is in the new generation.</p>`
  return html`<h2>Dead letters</h2>
<p>${count} items are not in the new generation${describeListed(count, listed.length)}</p>
${
  listed.length > 0 &&
  renderTable(
    ['item', 'reason'],
    listed.map(({ item, reason }) => [item, reason]),
  )
}`
}

function describeListed(count: number, listed: number): string {
  if (listed === 0) return '; their list is gone.'
  return listed < count ? `; the first ${listed} of them:` : ':'
}
