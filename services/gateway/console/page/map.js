import { el, find, svg } from './dom.js'
import { colourOf, inThousands } from './words.js'

/**
 * @typedef {readonly [number, number]} Point
 * @typedef {{ id: string, text?: string, cluster: number, at: Point }} Mapped
 * @typedef {{ generation: string, points: Mapped[], items: number, explained: number }} GalleryMap
 */

const [WIDTH, HEIGHT, MARGIN] = [400, 320, 16]

/**
 * Draws sampled items, those among the hits larger, and where the query lies.
 * @param {GalleryMap} map
 * @param {{ hits?: readonly { id: string }[], query?: Point }} found
 */
export function drawMap({ generation, points, items, explained }, { hits = [], query }) {
  const place = find('map', HTMLElement)
  const about = find('map-about', HTMLElement)
  if (points.length === 0) {
    about.textContent = ''
    return place.replaceChildren(el('p', { class: 'quiet' }, 'No index service has given a sample.'))
  }
  about.textContent = `${generation}: ${points.length} of ${inThousands(items)} items; ${Math.round(100 * explained)} % of their differences`
  const scale = createScale([...points.map(({ at }) => at), ...(query ? [query] : [])])
  const isHit = new Set(hits.map(({ id }) => id))
  const sorted = points.toSorted((a, b) => Number(isHit.has(a.id)) - Number(isHit.has(b.id)))
  const label = `${points.length} items of ${generation} on a plane${query ? ', and the query among them' : ''}`
  const drawing = svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label },
    ...sorted.map((item) => drawItem(item, scale(item.at), isHit.has(item.id))),
    ...(query ? drawQuery(scale(query)) : []),
  )
  drawing.addEventListener('pointerover', ({ target }) => {
    const told = target instanceof Element ? target.querySelector('title')?.textContent : undefined
    if (told) find('map-point', HTMLElement).textContent = told
  })
  place.replaceChildren(drawing)
  find('map-point', HTMLElement).textContent = query
    ? 'The cross is the query; ringed items are among its hits.'
    : 'Each dot is an item in the colour of its cluster.'
}

/**
 * @param {Mapped} item
 * @param {Point} at
 * @param {boolean} isHit
 */
function drawItem({ id, text, cluster }, [x, y], isHit) {
  const kind = `${colourOf(cluster)}${isHit ? ' hit' : ''}`
  const place = { cx: x.toFixed(1), cy: y.toFixed(1), r: isHit ? '6' : '4' }
  return svg('circle', { class: kind, ...place }, svg('title', {}, `${text ?? id} (cluster ${cluster})`))
}

/** @param {Point} at */
function drawQuery([x, y]) {
  const cross = `M${x - 9} ${y}H${x + 9}M${x} ${y - 9}V${y + 9}`
  return [
    svg('path', { class: 'halo', d: cross }),
    svg('path', { class: 'here', d: cross }, svg('title', {}, 'the query')),
  ]
}

/**
 * From the plane to the drawing, as long on both axes.
 * @param {readonly Point[]} points
 * @returns {(at: Point) => Point}
 */
function createScale(points) {
  const range = (/** @type {0 | 1} */ side) => {
    const values = points.map((at) => at[side])
    return /** @type {const} */ ([Math.min(...values), Math.max(...values)])
  }
  const [[left, right], [low, high]] = [range(0), range(1)]
  const factor = Math.min(
    (WIDTH - 2 * MARGIN) / Math.max(right - left, 1e-9),
    (HEIGHT - 2 * MARGIN) / Math.max(high - low, 1e-9),
  )
  return ([x, y]) => [
    WIDTH / 2 + factor * (x - (left + right) / 2),
    HEIGHT / 2 - factor * (y - (low + high) / 2),
  ]
}
