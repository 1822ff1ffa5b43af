import type { SourceItem } from '../../ports/input.ts'

/** A row as it was parsed: an item, or why it is none. */
export type ParsedItem =
  | { readonly item: SourceItem; readonly reason?: undefined }
  | { readonly item?: undefined; readonly reason: string }

/** The object that a line of JSON holds; a reason where it holds none. */
export function parseObject(line: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
    return 'expected a JSON object'
  } catch (error) {
    return `is no JSON (${(error as Error).message})`
  }
}

/** An item from the members of an object: a number as id becomes its decimals, members without a value are left out. */
export function toItem(members: Readonly<Record<string, unknown>>): ParsedItem {
  const { id, text, ...metadata } = members
  const isNumber = typeof id === 'number' || typeof id === 'bigint'
  if (id !== undefined && id !== null && typeof id !== 'string' && !isNumber) {
    return { reason: 'id is neither a text nor a number' }
  }
  if (id === '') return { reason: 'id is empty' }
  if (text !== undefined && text !== null && typeof text !== 'string') return { reason: 'text is no text' }
  return {
    item: {
      ...(id === undefined || id === null ? {} : { id: String(id) }),
      ...(typeof text === 'string' ? { text } : {}),
      ...metadata,
    },
  }
}

/** The item in a line of JSON. */
export function parseItem(line: string): ParsedItem {
  const members = parseObject(line)
  return typeof members === 'string' ? { reason: members } : toItem(members)
}
