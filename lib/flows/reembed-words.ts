import type { EmbedCounts } from './embed-contents-counts.ts'
import type { Tally } from './gallery.ts'

/** What a gallery holds, for people. */
export function describeTally({ items, embedded, repeated, dead, lacking }: Tally): string {
  const parts = [
    `${items} items`,
    `${embedded} were known`,
    ...(repeated > 0 ? [`${repeated} repeat another`] : []),
    ...(dead > 0 ? [`${dead} were refused by the model before (--retry-dead tries them again)`] : []),
    ...(lacking > 0 ? [`${lacking} have nothing to embed`] : []),
  ]
  return parts.join(', ')
}

/** What embedding took, for people. */
export function describeWork({ calls, items, dead, tookMs }: EmbedCounts): string {
  if (calls === 0) return 'no call to the model'
  const rate = Math.round(items / Math.max(0.001, tookMs / 1000))
  return `${items} embedded by ${calls} calls, ${rate} a second${dead > 0 ? `, ${dead} refused` : ''}`
}
