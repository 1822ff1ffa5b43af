import { createHash, hash } from 'node:crypto'

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

const TEXT_MARK = Buffer.from('text\n')

/** The sha-256 that a content is known by, whatever its item is called: equal contents have equal embeddings. */
export function hashContent(content: Content): Uint8Array {
  if (content.kind === 'text') return hashTextContent(content.text)
  return createHash('sha256').update('image\n').update(content.bytes).digest()
}

/** As `hashContent`, for a text as it is or as its UTF-8. */
export function hashTextContent(text: string | Uint8Array): Uint8Array {
  // In one call, short texts take half the time.
  return hash(
    'sha256',
    typeof text === 'string' ? `text\n${text}` : Buffer.concat([TEXT_MARK, text]),
    'buffer',
  )
}

/** Media types of the images that items may be, by the ending of their file's name. */
const IMAGE_TYPES: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  bmp: 'image/bmp',
}

/** The media type of an image by its path; undefined for anything else. */
export function imageTypeOf(path: string): string | undefined {
  return IMAGE_TYPES[/\.([A-Za-z]+)$/.exec(path)?.[1]?.toLowerCase() ?? '']
}

/** How many bytes a content has on its way to a server, before any encoding. */
export function countContentBytes(content: Content): number {
  return content.kind === 'text' ? Buffer.byteLength(content.text) : content.bytes.length
}
