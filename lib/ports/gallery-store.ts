import type { Input, SourceItem } from './input.ts'

/** An item on its way into the gallery. */
export type GalleryItem = {
  readonly id: string
  /** Grows with every sending: of two of one id, the greater one counts. */
  readonly version: number
  readonly item: SourceItem
  /** The hash of what is embedded [32]. */
  readonly content: Uint8Array
  /** When it was sent, in milliseconds since the epoch. */
  readonly sentAt: number
}

/** What adding an item came to; `outdated` where a later sending of its id was first. */
export type Addition = {
  readonly state: 'added' | 'replaced' | 'repeated' | 'outdated'
  /** The id of another item with the same content. */
  readonly sameAs?: string | undefined
}

export type GallerySummary = {
  readonly items: number
  /** Grows with every change of what the gallery holds. */
  readonly revision: number
}

/** The items of a fleet as they come in, each id once. Any number of processes may use it at a time. */
export interface Gallery {
  /** Gives out as many versions; the first of them. */
  reserveVersions(count: number): Promise<number>
  /** Which of these items it holds just so; they count as sent again. */
  confirm(items: readonly Pick<GalleryItem, 'id' | 'version' | 'item'>[]): Promise<readonly boolean[]>
  /** Adds items, all or none; on disk when it resolves. Raises `remote` when the disk is full. */
  add(items: readonly GalleryItem[]): Promise<readonly Addition[]>
  /** Takes items out; how many of the ids it held. Earlier sendings of them that are still on their way count no more. */
  remove(ids: readonly string[], version: number): Promise<number>
  summarize(): Promise<GallerySummary>
  /** When the oldest change after a revision was sent; undefined where there is none. */
  findOldestAfter(
    revision: number,
  ): Promise<{ readonly sentAt: number; readonly changes: number } | undefined>
  /** Keeps a file that items stand for, whose name is made of its content. On disk when it resolves. */
  keepFile(name: string, bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

export interface GalleryStore {
  /** Where it lies, as told to the operator. */
  readonly path: string
  /** Whether there is one. */
  exists(): Promise<boolean>
  open(): Promise<Gallery>
  /** The gallery as it is now, whatever is added while it is read. */
  read(): Promise<Input>
}
