import { createHash } from 'node:crypto'

/** What a model embeds: the text of an item, or the bytes of its file. */
export type Content =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'image'
      readonly bytes: Uint8Array
      /** For example `image/jpeg`. */
      readonly mediaType: string
    }

/** Bytes of a content hash. */
export const CONTENT_HASH_BYTES = 32

/** The sha-256 that a content is known by, whatever its item is called: equal contents have equal embeddings. */
export function hashContent(content: Content): Uint8Array {
  const hash = createHash('sha256').update(`${content.kind}\n`)
  return hash.update(content.kind === 'text' ? content.text : content.bytes).digest()
}

/** How many bytes a content has on its way to a server, before any encoding. */
export function countContentBytes(content: Content): number {
  return content.kind === 'text' ? Buffer.byteLength(content.text) : content.bytes.length
}
