import { ask } from './ask.js'
import { el, find } from './dom.js'
import { renderAnswer, renderFailure } from './hits.js'
import { drawMap } from './map.js'

/** @typedef {import('./map.js').GalleryMap} GalleryMap */
/** @typedef {{ serving: string, generations: { name: string, model: string, items: number }[] }} About */

/** @type {Map<string, Promise<GalleryMap>>} */
const maps = new Map()
/** What was asked last: an answer to something before it is not shown any more. */
let asked = 0

/**
 * Offers the generations that can be asked; what was chosen stays.
 * @param {About} about
 */
export function offerGenerations({ serving, generations }) {
  const [left, right] = [find('left', HTMLSelectElement), find('right', HTMLSelectElement)]
  const options = generations.map(({ name, model }) => ({
    name,
    words: `${name}${name === serving ? ', serving' : ''} (${model})`,
  }))
  const key = options.map(({ words }) => words).join()
  if (left.dataset.key === key) return
  left.dataset.key = key
  const known = new Set(options.map(({ name }) => name))
  const [former, beside] = [left.value, right.value]
  left.replaceChildren(...options.map(({ name, words }) => el('option', { value: name }, words)))
  right.replaceChildren(
    el('option', { value: '' }, 'nothing'),
    ...options.map(({ name, words }) => el('option', { value: name }, words)),
  )
  left.value = known.has(former) ? former : serving
  right.value = known.has(beside) ? beside : ''
  void showMap(left.value, {})
}

/** Has the form ask, and `/` lead to it. */
export function listenToForm() {
  const query = find('query', HTMLInputElement)
  find('search', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault()
    void search(query.value)
  })
  for (const id of ['left', 'right', 'k']) {
    find(id, HTMLSelectElement).addEventListener('change', () => {
      if (query.value.trim() !== '') void search(query.value)
      else if (id === 'left') void showMap(find('left', HTMLSelectElement).value, {})
    })
  }
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    query.focus()
  })
}

/** @param {string} query */
async function search(query) {
  const mine = ++asked
  const answers = find('answers', HTMLElement)
  const k = Number(find('k', HTMLSelectElement).value)
  const [left, right] = [find('left', HTMLSelectElement).value, find('right', HTMLSelectElement).value]
  const names = right === '' || right === left ? [left] : [left, right]
  answers.setAttribute('aria-busy', 'true')
  const found = await Promise.allSettled(names.map((generation) => ask('search', { generation, query, k })))
  if (mine !== asked) return
  const hitsOf = (/** @type {number} */ at) =>
    found[at]?.status === 'fulfilled' ? found[at].value.hits : undefined
  const cards = found.map((one, at) =>
    one.status === 'fulfilled'
      ? renderAnswer(one.value, names.length > 1 ? hitsOf(1 - at) : undefined)
      : renderFailure(names[at] ?? '', one.reason),
  )
  answers.replaceChildren(el('div', { class: 'columns' }, ...cards))
  answers.removeAttribute('aria-busy')
  const placed = await ask('map', { generation: left, query }).catch(() => ({}))
  if (mine === asked) await showMap(left, { hits: hitsOf(0), query: placed.query })
}

/**
 * @param {string} generation
 * @param {Parameters<typeof drawMap>[1]} found
 */
async function showMap(generation, found) {
  const map = maps.get(generation) ?? ask('map', { generation })
  maps.set(generation, map)
  try {
    const known = await map
    if (known.points.length === 0) maps.delete(generation)
    drawMap(known, found)
  } catch (error) {
    maps.delete(generation)
    find('map', HTMLElement).replaceChildren(renderFailure(generation, error))
  }
}
