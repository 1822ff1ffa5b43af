const COLOURS = 8

/** @param {number} cluster */
export const colourOf = (cluster) => `k${cluster % COLOURS}`

/** @param {number} ms */
export const inMs = (ms) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`

/** @param {number} count */
export const inThousands = (count) => count.toLocaleString('en-US')

/** @param {string} iso */
export function inLocalTime(iso) {
  const date = new Date(iso)
  return Number.isNaN(date.getTime())
    ? iso
    : date.toLocaleString('sv-SE', { dateStyle: 'short', timeStyle: 'medium' })
}

/**
 * How long it is from one time to another, or until now.
 * @param {string} from
 * @param {string} [to]
 */
export function span(from, to) {
  const seconds = Math.max(0, ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000)
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}
