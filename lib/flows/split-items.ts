import type { RowBatch, SourceItem, TextItems } from '../ports/input.ts'

const decoder = new TextDecoder()

/** Whether a batch gives its items as bytes. */
export function isTextItems(items: RowBatch['items']): items is TextItems {
  return 'hashes' in items
}

/** One text of many. */
export function readText({ bytes, ends }: TextItems, index: number): string {
  return decoder.decode(bytes.subarray(ends[index - 1] ?? 0, ends[index]))
}

/** The items of a batch as objects. */
export function listItems(items: RowBatch['items']): readonly SourceItem[] {
  if (!isTextItems(items)) return items
  return Array.from(items.ends, (_, index) => ({ text: readText(items, index) }))
}
