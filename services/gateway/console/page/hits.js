import { el, table } from './dom.js'
import { colourOf, inMs } from './words.js'

/**
 * @typedef {{ id: string, score: number, cluster: number, item: { text?: string, [member: string]: unknown } }} Hit
 * @typedef {{ cluster: number, tookMs: number, searchMs?: number, kind?: string, hits?: number, hedged?: boolean, error?: string }} Shard
 * @typedef {{ clusters: { cluster: number, score: number }[], shards: Shard[], stages: Record<string, number> }} Explain
 * @typedef {{ generation: string, model: { name: string, version: string }, hits: Hit[], explain: Explain, tookMs: number, coverage: { complete: boolean } }} Answer
 */

/**
 * The hits of one generation; beside those of another one, with what is new and what moved.
 * @param {Answer} answer
 * @param {readonly Hit[]} [others]
 */
export function renderAnswer(answer, others) {
  const { generation, model, hits, tookMs, coverage } = answer
  const most = Math.max(...[...hits, ...(others ?? [])].map(({ score }) => Math.abs(score)), 1e-9)
  const rows = hits.map((hit, at) => renderHit(hit, { rank: at + 1, most, others }))
  return el(
    'article',
    { class: 'card' },
    el(
      'div',
      { class: 'head' },
      el('h2', {}, generation),
      el('span', { class: 'quiet' }, `${model.name} ${model.version} · ${inMs(tookMs)}`),
    ),
    coverage.complete ? null : el('p', { class: 'warn' }, 'Not every cluster has answered.'),
    hits.length > 0
      ? el('ol', { class: 'hits' }, ...rows)
      : el('p', { class: 'quiet' }, 'Nothing was found.'),
    renderTimes(answer.explain),
  )
}

/**
 * @param {string} generation
 * @param {unknown} error
 */
export function renderFailure(generation, error) {
  const message = error instanceof Error ? error.message : String(error)
  return el(
    'article',
    { class: 'card', role: 'alert' },
    el('h2', {}, generation),
    el('p', { class: 'bad' }, message),
  )
}

/**
 * @param {Hit} hit
 * @param {{ rank: number, most: number, others: readonly Hit[] | undefined }} place
 */
function renderHit({ id, score, cluster, item }, { rank, most, others }) {
  const share = el('i')
  share.style.width = `${Math.max(0, Math.min(100, (100 * score) / most))}%`
  return el(
    'li',
    { class: `hit ${colourOf(cluster)}` },
    el('span', { class: 'rank' }, rank),
    el('span', {}, item.text ?? id),
    el('span', { class: 'score' }, score.toFixed(4)),
    el('span', { class: 'bar', 'aria-hidden': 'true' }, share),
    el(
      'span',
      { class: 'meta' },
      el('span', { class: 'chip' }, `cluster ${cluster}`),
      el('span', { class: 'mono' }, id),
      others && describeMove(others.findIndex((other) => other.id === id) + 1, rank),
    ),
  )
}

/**
 * @param {number} before 0 for one that was not found
 * @param {number} now
 */
function describeMove(before, now) {
  if (before === 0) return el('span', { class: 'tag main' }, 'only here')
  if (before === now) return el('span', { class: 'tag' }, 'same rank')
  return el('span', { class: 'tag' }, `rank ${before} there`)
}

/** @param {Explain} explain */
function renderTimes({ stages, shards, clusters }) {
  const words = Object.entries(stages).map(([stage, ms]) => `${stage.replace(/Ms$/, '')} ${inMs(ms)}`)
  const scores = new Map(clusters.map(({ cluster, score }) => [cluster, score]))
  const rows = shards.map(({ cluster, tookMs, searchMs, kind, hits, hedged, error }) => [
    el('span', { class: `chip ${colourOf(cluster)}` }, cluster),
    scores.get(cluster)?.toFixed(3) ?? '',
    error ?? `${kind ?? ''}${hedged ? ', asked twice' : ''}`,
    searchMs === undefined ? '' : inMs(searchMs),
    inMs(tookMs),
    hits ?? '',
  ])
  /** @type {[string, string?][]} */
  const columns = [
    ['cluster', 'nowrap'],
    ['centroid', 'number'],
    ['searched'],
    ['search', 'number nowrap'],
    ['answer', 'number nowrap'],
    ['hits', 'number'],
  ]
  return el(
    'details',
    { class: 'times' },
    el('summary', {}, words.join(' · ')),
    table(columns, rows, 'Time of each cluster'),
  )
}
