import { CONTENT_HASH_BYTES, type Content, hashContent, imageTypeOf } from '../domain/content.ts'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import type { ItemFiles, SourceItem } from '../ports/input.ts'
import type { ItemFetcher } from '../ports/item-sources.ts'
import { type SentItem, sourceOf } from './ingest-message.ts'

/** An item with what is embedded of it. */
export type ReadyItem = { readonly item: SourceItem; readonly content: Content; readonly hash: Uint8Array }

export type ContentParts = {
  readonly files: ItemFiles
  readonly fetcher: ItemFetcher
  readonly signal: AbortSignal
}

const TEXTS = ['text/plain', 'text/markdown']
const ENDINGS: Readonly<Record<string, string>> = { 'image/jpeg': 'jpg' }

/** Gets what an item has to embed. Raises LongshoreError in words for a dead letter. */
export async function readyItem(parts: ContentParts, { item, root = '' }: SentItem): Promise<ReadyItem> {
  const source = sourceOf(item)
  if (source === 'text') return ready(item, { kind: 'text', text: item.text! })
  if (source === 'url') return await fetchItem(parts, item)
  const path = String(item.file)
  const mediaType = imageTypeOf(path)
  if (mediaType === undefined) throw new LongshoreError('usage', `its file ${path} is no image`)
  const bytes = await parts.files.read(root, path).catch((error: unknown) => {
    throw error instanceof LongshoreError ? error : new LongshoreError('not-found', messageOf(error))
  })
  return readyImage({ ...item, origin: path }, bytes, mediaType)
}

async function fetchItem(parts: ContentParts, item: SourceItem): Promise<ReadyItem> {
  const url = String(item.url)
  const { bytes, mediaType } = await parts.fetcher.fetch(url, parts.signal)
  if (mediaType.startsWith('image/')) return readyImage(item, bytes, mediaType)
  const text = Buffer.from(bytes).toString('utf8').trim()
  if (!TEXTS.includes(mediaType) || text === '') {
    throw new LongshoreError(
      'usage',
      `${url}: is ${mediaType}, expected an image, ${TEXTS.join(' or ')} that is not empty`,
    )
  }
  return ready({ ...item, text }, { kind: 'text', text })
}

/** In the gallery, the image lies under a name made of its content. */
function readyImage(item: SourceItem, bytes: Uint8Array, mediaType: string): ReadyItem {
  const ending = ENDINGS[mediaType] ?? mediaType.replace(/^image\//, '')
  if (imageTypeOf(`.${ending}`) === undefined) {
    throw new LongshoreError('usage', `${item.id}: ${mediaType} is a kind of image that is not known`)
  }
  const { content, hash } = ready(item, { kind: 'image', bytes, mediaType })
  const file = `${Buffer.from(hash).toString('hex').slice(0, 32)}.${ending}`
  return { item: { ...item, file }, content, hash }
}

function ready(item: SourceItem, content: Content): ReadyItem {
  const hash = new Uint8Array(CONTENT_HASH_BYTES)
  hash.set(hashContent(content))
  return { item, content, hash }
}
