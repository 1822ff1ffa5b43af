import type { MappedItem, ScoreSpread } from '../../domain/compare-spaces.ts'
import type { Histogram } from '../../domain/histogram.ts'
import { listRates, type RatePoint } from '../../domain/rate-curve.ts'
import { createScale, place, type Range, renderFrame, type Scale } from './chart-frame.ts'
import { type Html, html } from './html.ts'

/** Items a second over the time of a run. */
export function renderRate(points: readonly RatePoint[]): Html {
  const rates = listRates(points)
  const x = { from: 0, to: Math.max(0, ...rates.map(({ ms }) => ms / 1000)), label: 'seconds' }
  const y = { from: 0, to: Math.max(0, ...rates.map(({ perSecond }) => perSecond)), label: 'items a second' }
  const scale = createScale(x, y)
  const path = rates.map(({ ms, perSecond }) => `${place(scale.x(ms / 1000))} ${place(scale.y(perSecond))}`)
  return renderFrame(
    { title: 'Items embedded a second, over time', x, y },
    path.length > 0 && html`<path class="line after" d="M${path.join('L')}"/>`,
  )
}

/** How items of a model score with each other and with their nearest ones, and where its threshold lies. */
export function renderScores(
  { pairs, nearest }: ScoreSpread,
  { series, threshold }: { readonly series: 'before' | 'after'; readonly threshold?: number | undefined },
): Html {
  const x = widen({ from: pairs.from, to: pairs.to, label: 'score' }, threshold)
  const y = { from: 0, to: Math.max(...pairs.shares, ...nearest.shares), label: 'share' }
  const scale = createScale(x, y)
  return renderFrame({ title: 'Distribution of scores', x, y }, [
    html`<path class="area pairs" d="${outline(pairs, scale)}"/>`,
    html`<path class="area ${series}" d="${outline(nearest, scale)}"/>`,
    threshold !== undefined &&
      html`<line class="threshold" x1="${place(scale.x(threshold))}" x2="${place(scale.x(threshold))}" y1="${place(scale.y(0))}" y2="${place(scale.y(y.to))}"><title>threshold ${threshold}</title></line>`,
  ])
}

/** Moved items that are joined by lines, so many at most: more of them hide each other. */
const MOST_MOVED = 60

/** The items on the maps of both models, one over the other; those that lost most of their nearest ones are joined. */
export function renderMap(items: readonly MappedItem[]): Html {
  const points = items.flatMap(({ before, after }) => [before, after])
  const [x, y] = [rangeOf(points.map(([at]) => at)), rangeOf(points.map(([, at]) => at))]
  const scale = createScale(x, y)
  const moved = items
    .filter(({ kept }) => kept < 0.5)
    .sort((a, b) => a.kept - b.kept)
    .slice(0, MOST_MOVED)
  const dot = (series: 'before' | 'after') => (item: MappedItem) =>
    html`<circle class="${series}" cx="${place(scale.x(item[series][0]))}" cy="${place(scale.y(item[series][1]))}" r="2"><title>${item.name}: ${Math.round(100 * item.kept)} % of its nearest kept</title></circle>`
  return renderFrame(
    {
      title: 'Map of sampled items under both models',
      x: { ...x, label: 'first axis' },
      y: { ...y, label: 'second axis' },
    },
    [moved.map((item) => joinPoints(item, scale)), items.map(dot('before')), items.map(dot('after'))],
  )
}

function joinPoints({ before, after }: MappedItem, scale: Scale): Html {
  return html`<line class="moved" x1="${place(scale.x(before[0]))}" y1="${place(scale.y(before[1]))}" x2="${place(scale.x(after[0]))}" y2="${place(scale.y(after[1]))}"/>`
}

/** The outline of a histogram as a path of steps. */
function outline({ from, to, shares }: Histogram, scale: Scale): string {
  const width = (to - from) / shares.length
  const steps = shares.map(
    (share, bin) => `V${place(scale.y(share))}H${place(scale.x(from + (bin + 1) * width))}`,
  )
  return `M${place(scale.x(from))} ${place(scale.y(0))}${steps.join('')}V${place(scale.y(0))}Z`
}

function widen<R extends Range>(range: R, value: number | undefined): R {
  if (value === undefined) return range
  return { ...range, from: Math.min(range.from, value), to: Math.max(range.to, value) }
}

function rangeOf(values: readonly number[]): Range {
  return values.length === 0 ? { from: 0, to: 1 } : { from: Math.min(...values), to: Math.max(...values) }
}
