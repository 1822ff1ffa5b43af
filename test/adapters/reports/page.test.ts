import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { html } from '../../../lib/adapters/reports/html.ts'
import { renderPage } from '../../../lib/adapters/reports/page.ts'
import { createReports } from '../../../lib/adapters/reports/store.ts'
import { makeMigrationReport } from '../../support/migration-report.ts'
import { makeTempDir } from '../../support/temp.ts'

const NAMES = Array.from({ length: 40 }, (_, index) => `item ${index}`)
const HOSTILE = `</title></svg><script>alert(1)</script><img src=x onerror='alert("2")'>&lt;\u0000\u001b]8;;\ud800`

/** Elements that are open at the end, or closed without being open; those of HTML that are never closed left out. */
function findUnbalanced(page: string): string[] {
  const open: string[] = []
  const [problems, body] = [[] as string[], page.slice(page.indexOf('<html'))]
  for (const [, close, name, rest] of body.matchAll(/<(\/?)([a-z][a-z0-9]*)\b([^>]*)>/g)) {
    if (['meta', 'br'].includes(name!) || rest!.endsWith('/')) continue
    if (!close) open.push(name!)
    else if (open.pop() !== name) problems.push(name!)
  }
  return [...problems, ...open]
}

test('escapes every value, in elements and in attributes, but HTML itself', () => {
  const inner = html`<b>${'<i>'}</b>`
  assert.is(
    html`<p title="${`"'&`}">${inner}${[1, undefined, false, 'a<b']}</p>`.text,
    '<p title="&quot;&#39;&amp;"><b>&lt;i&gt;</b>1a&lt;b</p>',
  )
  assert.is(html`${'a\u0000b\ud800\u009b'}`.text, 'a b\ufffd ')
})

test('shows what was measured: quality with intervals, thresholds, rate, device, overlap, scores and map', () => {
  const page = renderPage(makeMigrationReport(NAMES))
  for (const told of [
    '<h1>dg_2 against dg_1</h1>',
    '0.500 (0.400 to 0.600)</td><td>0.625 (0.525 to 0.725)',
    '<td>0.7</td><td>0.4321</td>',
    'precision at the threshold</td><td>0.5</td><td>0.75',
    '40 embedded on gpu by 5 calls in 2 s, 20 a second, 300 tokens, calls sent again: 1.',
    'None: every item is in the new generation.',
    '✔ modelLoss',
  ]) {
    assert.ok(page.includes(told), told)
  }
  assert.is(page.match(/<svg /g)?.length, 4)
  assert.is(page.match(/<circle /g)?.length, 2 * NAMES.length)
  assert.ok(page.match(/class="moved"/g)!.length > 5)
  assert.is(page.match(/class="threshold"/g)?.length, 2)
  assert.not.match(page, /NaN|undefined|Infinity/)
  assert.equal(findUnbalanced(page), [])
})

test('loads nothing and runs nothing, fits a telephone, and follows light and dark', () => {
  const page = renderPage(makeMigrationReport(NAMES))
  assert.not.match(page, /<script|<link|<img|<iframe|@import|url\(|https?:|\son[a-z]+=/)
  assert.match(page, "default-src 'none'")
  assert.match(page, 'width=device-width')
  assert.match(page, 'prefers-color-scheme: dark')
})

test('shows hostile names, reasons and models as the text that they are', () => {
  const plain = makeMigrationReport(NAMES)
  const page = renderPage(
    makeMigrationReport([HOSTILE, ...NAMES.slice(1)], {
      rejects: { count: 2, listed: [{ item: HOSTILE, reason: HOSTILE }] },
      after: { ...plain.after, model: { ...plain.after.model, name: HOSTILE } },
      work: { ...plain.work, device: HOSTILE },
      gates: [{ ...plain.gates[0]!, detail: HOSTILE }],
    }),
  )
  assert.not.match(page, /<script|<img/)
  assert.ok(['\u0000', '\u001b'].every((character) => !page.includes(character)) && page.isWellFormed())
  assert.is(page.match(/&lt;script&gt;alert\(1\)/g)?.length, 7)
  assert.match(page, '2 items are not in the new generation; the first 1 of them:')
  assert.equal(findUnbalanced(page), [])
})

test('has a page for what was neither embedded nor asked, and for no items at all', () => {
  const { comparison: _comparison, threshold: _threshold, ...bare } = makeMigrationReport([])
  const page = renderPage({ ...bare, work: { ...bare.work, items: 0, rate: [] }, gates: [] })
  assert.match(page, 'Everything was known: no call to the model.')
  assert.match(page, 'The generations were not asked anything yet')
  assert.not.match(page, /NaN|undefined|Infinity/)
  const gone = renderPage({ ...bare, rejects: { count: 3, listed: [] } })
  assert.match(gone, '3 items are not in the new generation; their list is gone.')
  const unjudged = renderPage({ ...bare, comparison: { judged: 0 } })
  assert.match(unjudged, 'No query is judged: nothing is compared.')
})

test('keeps a report as JSON and as a page, replaces both, and leaves nothing beside them', async () => {
  const directory = join(makeTempDir(), 'state', 'reports')
  const reports = createReports(directory)
  assert.is(await reports.read('dg_2'), undefined)
  await reports.write(makeMigrationReport([]))
  const report = makeMigrationReport(NAMES)
  const paths = await reports.write(report)
  assert.equal(await reports.read('dg_2'), JSON.parse(JSON.stringify(report)))
  assert.is(await readFile(paths.html, 'utf8'), renderPage(report))
  assert.equal(await readdir(directory), ['dg_2.html', 'dg_2.json'])
  await writeFile(paths.json, '{"format": "another/1"}')
  assert.is(await reports.read('dg_2'), undefined)
  await writeFile(paths.json, '{')
  assert.is(await reports.read('dg_2'), undefined)
})

test.run()
