/** @typedef {Node | string | number | null | undefined | false} Child */

const SVG = 'http://www.w3.org/2000/svg'

/**
 * An element of HTML. Children that are texts stay texts, whatever stands in them.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | boolean>} [attributes] those that are false are left out
 * @param {readonly Child[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children)
}

/**
 * An element of SVG.
 * @param {string} tag
 * @param {Record<string, string | boolean>} [attributes]
 * @param {readonly Child[]} children
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children)
}

/**
 * The element of the page with an id.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function find(id, kind) {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new Error(`there is no ${kind.name} #${id}`)
}

/**
 * A table with a head; cells are what `el` takes.
 * @param {readonly (readonly [string, string?])[]} columns titles, and classes of their cells
 * @param {readonly (readonly Child[])[]} rows
 * @param {string} label
 */
export function table(columns, rows, label) {
  const head = columns.map(([title, kind = '']) => el('th', { scope: 'col', class: kind }, title))
  const body = rows.map((cells) =>
    el('tr', {}, ...cells.map((cell, at) => el('td', { class: columns[at]?.[1] ?? '' }, cell))),
  )
  const whole = el('table', {}, el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...body))
  // Keyboards scroll what has the focus.
  return el('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': label }, whole)
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Record<string, string | boolean>} attributes
 * @param {readonly Child[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? '' : value)
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      element.append(typeof child === 'number' ? String(child) : child)
    }
  }
  return element
}
