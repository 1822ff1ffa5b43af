import type { DeclaredModel } from '../config/models.ts'
import { LongshoreError } from '../domain/errors.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { Model } from '../domain/model.ts'
import { innerProduct, scoreOf, scoringOf } from '../domain/similarity.ts'
import type { FoundItem } from '../ports/generation-search.ts'
import type { Ledger } from '../ports/ledger.ts'
import type { Context } from './context.ts'
import type { NewItem } from './ingest-counts.ts'

/** An item that is nearly the same as another one, by their embeddings. */
export type NearPair = { readonly id: string; readonly sameAs: string; readonly score: number }

export type NearDuplicates = {
  /** New items that were looked at. */
  readonly looked: number
  readonly pairs: readonly NearPair[]
}

type Look = { readonly declared: DeclaredModel; readonly ledger: Ledger; readonly items: readonly NewItem[] }

/**
 * Which new items are nearly the same as another new one, or as one of the newest generation, under one model: from the
 * score of the profile on. Items of equal content are counted when they come in, and are not among these.
 */
export async function findNearDuplicates(context: Context, look: Look): Promise<NearDuplicates> {
  const { declared, ledger, items } = look
  if (items.length === 0) return { looked: 0, pairs: [] }
  const { model } = declared
  const least = context.profile.ingest.nearDuplicates
  const vectors = new Float32Array(items.length * model.dimensions)
  await ledger.read(Buffer.concat(items.map(({ hash }) => hash)), vectors)
  const pairs = compareNew(model, { items, vectors, least })
  const found = new Set(pairs.map(({ id }) => id))
  const hits = await searchNewest(context, model, vectors)
  for (const [index, { id }] of items.entries()) {
    const near = hits[index]?.find((hit) => hit.id !== id && hit.score >= least)
    if (near && !found.has(id)) pairs.push({ id, sameAs: near.id, score: near.score })
  }
  return { looked: items.length, pairs }
}

type Compared = { readonly items: readonly NewItem[]; readonly vectors: Float32Array; readonly least: number }

/** Each item with the first before it that it is near to. */
function compareNew(model: Model, { items, vectors, least }: Compared): NearPair[] {
  const rows = items.map((_, row) => vectors.subarray(row * model.dimensions, (row + 1) * model.dimensions))
  const squares = rows.map((row) => innerProduct(row, row))
  const pairs: NearPair[] = []
  for (let later = 1; later < rows.length; later++) {
    for (let earlier = 0; earlier < later; earlier++) {
      const product = innerProduct(rows[earlier]!, rows[later]!)
      const products = { product, squaredA: squares[earlier]!, squaredB: squares[later]! }
      const score = scoreOf(scoringOf(model), products)
      if (score < least) continue
      pairs.push({ id: items[later]!.id, sameAs: items[earlier]!.id, score })
      break
    }
  }
  return pairs
}

/** The two best items of the newest generation under a model for each vector; none, with a note, where it cannot be searched. */
async function searchNewest(
  context: Context,
  model: Model,
  vectors: Float32Array,
): Promise<readonly (readonly FoundItem[])[]> {
  const { generationSearch, reporter, signal } = context
  try {
    const manifest = await findNewest(context, model)
    return manifest ? await generationSearch.search(manifest, vectors, { k: 2, signal }) : []
  } catch (error) {
    // What came in is in the gallery, whatever became of a generation.
    if (!(error instanceof LongshoreError)) throw error
    reporter.note(`new items are not compared with those served: ${error.message}`)
    return []
  }
}

async function findNewest({ generations }: Context, { fingerprint }: Model): Promise<Manifest | undefined> {
  for (const name of (await generations.list()).reverse()) {
    const manifest = await generations.read(name)
    if (manifest.model.fingerprint === fingerprint) return manifest
  }
  return undefined
}
