import { LongshoreError } from '../domain/errors.ts'
import { idOf } from '../domain/text-hash.ts'
import type { SourceItem } from '../ports/input.ts'

/** An item as it stands in the queue. */
export type SentItem = {
  readonly id: string
  readonly version: number
  /** With its id. */
  readonly item: SourceItem
  /** The directory that its file lies in, where it stands for one. */
  readonly root?: string | undefined
}

export function renderMessage(sent: SentItem): string {
  return JSON.stringify(sent)
}

/** Raises `corrupt`. */
export function parseMessage(body: string): SentItem {
  const sent = JSON.parse(body) as Partial<SentItem>
  if (typeof sent.id === 'string' && typeof sent.version === 'number' && sent.item) return sent as SentItem
  throw new LongshoreError('corrupt', `a message of the queue is no item: ${body.slice(0, 200)}`)
}

/** What an item has to embed: its text, the file at its path, or what is at its address; undefined where it has nothing. */
export function sourceOf({ text, file, url }: SourceItem): 'text' | 'file' | 'url' | undefined {
  if (typeof text === 'string' && text !== '') return 'text'
  if (typeof file === 'string' && file !== '') return 'file'
  return typeof url === 'string' && url !== '' ? 'url' : undefined
}

/** What an item is known by: its own id, or what it is made of. */
export function nameOf({ id, text, file, url }: SourceItem): string {
  if (id !== undefined) return id
  if (typeof text === 'string' && text !== '') return idOf(text)
  return String(file ?? url)
}
