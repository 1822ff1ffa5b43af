import type { Entry } from '../domain/batch.ts'
import {
  CONTENT_HASH_BYTES,
  type Content,
  hashContent,
  hashTextContent,
  imageTypeOf,
} from '../domain/content.ts'
import { LongshoreError } from '../domain/errors.ts'
import { HashLocations } from '../domain/hash-locations.ts'
import type { Input, ItemFiles, Reject, RowBatch, SourceItem, TextItems } from '../ports/input.ts'
import type { Ledger } from '../ports/ledger.ts'
import { isTextItems, listItems, readText } from './split-items.ts'

/** The items of a fleet, and where the files lie that some of them stand for. */
export type Gallery = { readonly input: Input; readonly files: ItemFiles; readonly root: string | undefined }

/** What a model makes of a gallery, as far as a ledger tells. */
export type Tally = { items: number; embedded: number; dead: number; repeated: number; lacking: number }

export function createTally(): Tally {
  return { items: 0, embedded: 0, dead: 0, repeated: 0, lacking: 0 }
}

export type HashedBatch = {
  readonly batch: RowBatch
  /** [items * 32]; zeros where an item has nothing to embed. */
  readonly hashes: Uint8Array
  /** Why items have nothing to embed, by their place in the batch. */
  readonly problems: ReadonlyMap<number, string>
}

/** The contents of a gallery that a ledger does not know, each of them once; counts all of them in `tally`. */
export async function* findMissing(
  gallery: Gallery,
  ledger: Pick<Ledger, 'find'>,
  { tally, signal }: { readonly tally: Tally; readonly signal: AbortSignal },
): AsyncIterable<Entry> {
  const seen = new HashLocations()
  for await (const { batch, hashes, problems } of hashBatches(gallery, signal)) {
    for (let index = 0; index < batch.items.length; index++) {
      tally.items++
      const hash = hashAt(hashes, index)
      const state = problems.has(index) ? 'lacking' : (ledger.find(hash) ?? isRepeated(seen, hash))
      if (state) tally[state]++
      else yield { hash, content: await readContent(gallery, batch.items, index, hash) }
    }
  }
}

/** A gallery with the embeddings that a ledger holds of it, as an input to split. Items without one are rejected. */
export function joinLedger(gallery: Gallery, ledger: Ledger, dimensions: number): Input {
  const { input } = gallery
  return {
    kind: `${input.kind}, re-embedded`,
    files: input.files,
    get rows() {
      return input.rows
    },
    dimensions,
    clusters: null,
    async *read(signal) {
      for await (const hashed of hashBatches(gallery, signal))
        yield await joinBatch(hashed, ledger, dimensions)
    },
  }
}

async function joinBatch(
  { batch, hashes, problems }: HashedBatch,
  ledger: Ledger,
  dimensions: number,
): Promise<RowBatch> {
  const kept: number[] = []
  const rejects: Reject[] = [...batch.rejects]
  for (let index = 0; index < batch.items.length; index++) {
    const died = ledger.reasonOf(hashAt(hashes, index))
    const reason =
      problems.get(index) ?? (died === undefined ? undefined : `the model does not embed it: ${died}`)
    if (reason === undefined) kept.push(index)
    else rejects.push({ row: nameItem(batch.items, index), reason })
  }
  const all = kept.length === batch.items.length
  const items = listItems(batch.items)
  const vectors = new Float32Array(kept.length * dimensions)
  await ledger.read(all ? hashes : Buffer.concat(kept.map((index) => hashAt(hashes, index))), vectors)
  return { items: all ? batch.items : kept.map((index) => items[index]!), vectors, clusters: null, rejects }
}

/** A gallery with the hashes of its contents. */
export async function* hashBatches(gallery: Gallery, signal: AbortSignal): AsyncIterable<HashedBatch> {
  for await (const batch of gallery.input.read(signal)) {
    const hashes = new Uint8Array(batch.items.length * CONTENT_HASH_BYTES)
    const problems = new Map<number, string>()
    for (let index = 0; index < batch.items.length; index++) {
      const hashed = hashItem(gallery, batch.items, index)
      const hash = hashed instanceof Promise ? await hashed : hashed
      if (typeof hash === 'string') problems.set(index, hash)
      else hashes.set(hash, index * CONTENT_HASH_BYTES)
    }
    yield { batch, hashes, problems }
  }
}

/** The hash of what an item has to embed; why it has nothing. */
function hashItem(
  gallery: Gallery,
  items: RowBatch['items'],
  index: number,
): Uint8Array | string | Promise<Uint8Array> {
  if (isTextItems(items)) return hashTextContent(textBytes(items, index))
  const { text, file } = items[index]!
  if (typeof text === 'string' && text !== '') return hashTextContent(text)
  if (typeof file !== 'string') return 'has neither a text nor a file'
  if (imageTypeOf(file) === undefined) return `its file ${file} is no image`
  return readImage(gallery, file).then(hashContent)
}

/** What an item has to embed. Raises `corrupt` where it has changed since it was hashed. */
async function readContent(
  gallery: Gallery,
  items: RowBatch['items'],
  index: number,
  hash: Uint8Array,
): Promise<Content> {
  if (isTextItems(items)) return { kind: 'text', text: readText(items, index) }
  const { text, file } = items[index]!
  if (typeof text === 'string' && text !== '') return { kind: 'text', text }
  const content = await readImage(gallery, String(file))
  if (Buffer.compare(hashContent(content), hash) === 0) return content
  throw new LongshoreError('corrupt', `${file}: changed while it was read`, { hint: 'run the command again' })
}

async function readImage({ files, root }: Gallery, file: string): Promise<Content & { kind: 'image' }> {
  if (root === undefined) {
    throw new LongshoreError('usage', `items stand for files (${file}), and nothing says where these lie`, {
      hint: 'name their directory: --files DIRECTORY',
    })
  }
  return { kind: 'image', bytes: await files.read(root, file), mediaType: imageTypeOf(file)! }
}

function isRepeated(seen: HashLocations, hash: Uint8Array): 'repeated' | undefined {
  if (seen.find(hash) >= 0) return 'repeated'
  seen.add(hash, 0, 0)
  return undefined
}

/** The hash of an item of a batch. */
export function hashAt(hashes: Uint8Array, index: number): Uint8Array {
  return hashes.subarray(index * CONTENT_HASH_BYTES, (index + 1) * CONTENT_HASH_BYTES)
}

function textBytes({ bytes, ends }: TextItems, index: number): Uint8Array {
  return bytes.subarray(ends[index - 1] ?? 0, ends[index])
}

/** What an item is known by. */
export function nameItem(items: RowBatch['items'], index: number): string {
  const item: SourceItem = isTextItems(items) ? { text: readText(items, index) } : items[index]!
  return item.id ?? item.text ?? JSON.stringify(item)
}
