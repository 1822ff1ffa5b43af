import { type Content, countContentBytes } from './content.ts'

/** A content on its way to an embedding. */
export type Entry = { readonly hash: Uint8Array; readonly content: Content }

/** The most that one request holds; Infinity where there is no limit. */
export type BatchBounds = { readonly items: number; readonly bytes: number; readonly tokens: number }

type Limits = { readonly [limit in keyof BatchBounds]?: number | undefined }

/** Where nobody says: large enough for any accelerator, small enough for any server. */
const USUAL = { items: 64, bytes: 4 << 20 }
/** UTF-8 bytes of a token, on the low side: four in English, less in most other languages. */
const TOKEN_BYTES = 3
/** Tokens that models put around a text. */
const FRAME_TOKENS = 2

/** How large batches may be: what the operator says counts before what the server says, which may be more than is usual. */
export function planBounds(asked: Limits, told: Limits): BatchBounds {
  return {
    items: asked.items ?? Math.min(told.items ?? USUAL.items, USUAL.items),
    bytes: asked.bytes ?? told.bytes ?? USUAL.bytes,
    tokens: asked.tokens ?? told.tokens ?? Number.POSITIVE_INFINITY,
  }
}

/** About how many tokens a model makes of a content, rather too many; none of an image. */
export function estimateTokens(content: Content): number {
  return content.kind === 'text' ? Math.ceil(Buffer.byteLength(content.text) / TOKEN_BYTES) + FRAME_TOKENS : 0
}

/** Puts entries of one kind together until a bound is met. An entry that is larger than a bound is a batch of its own. */
export class Batcher {
  private readonly bounds: BatchBounds
  private entries: Entry[] = []
  private bytes = 0
  private tokens = 0

  constructor(bounds: BatchBounds) {
    this.bounds = bounds
  }

  /** Takes an entry; the batch before it, where it begins another. */
  add(entry: Entry): readonly Entry[] | undefined {
    const bytes = countContentBytes(entry.content)
    const tokens = estimateTokens(entry.content)
    const closed = this.isRoomFor(entry, bytes, tokens) ? undefined : this.take()
    this.entries.push(entry)
    this.bytes += bytes
    this.tokens += tokens
    return closed ?? (this.entries.length >= this.bounds.items ? this.take() : undefined)
  }

  /** What is left; undefined where nothing is. */
  take(): readonly Entry[] | undefined {
    const { entries } = this
    if (entries.length === 0) return undefined
    this.entries = []
    this.bytes = 0
    this.tokens = 0
    return entries
  }

  private isRoomFor({ content }: Entry, bytes: number, tokens: number): boolean {
    const [first] = this.entries
    if (first === undefined) return true
    return (
      first.content.kind === content.kind &&
      this.bytes + bytes <= this.bounds.bytes &&
      this.tokens + tokens <= this.bounds.tokens
    )
  }
}
