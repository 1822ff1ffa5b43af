import { createHash } from 'node:crypto'
import type { GenerationRef } from '../../lib/domain/generation.ts'
import { countQueries, type Queries, type SearchOptions } from './search-body.ts'

/** A text as the embedder sees it: texts may only become the same when they have the same embedding. */
export type NormalizeText = (text: string) => string

/** For each query what its answer depends on, hashed: generation, every option, and the text or vector. */
export function keysOf(
  queries: Queries,
  options: SearchOptions,
  { ref, normalize }: { readonly ref: GenerationRef; readonly normalize: NormalizeText },
): string[] {
  const { k, nprobe, threshold, filter, dedupe, partial } = options
  const parts = [ref.name, ref.digest, k, nprobe, threshold ?? null, filter ?? null, dedupe ?? null, partial]
  const about = JSON.stringify(parts)
  return Array.from({ length: countQueries(queries) }, (_, at) => {
    const hash = createHash('sha256').update(about)
    if ('texts' in queries) hash.update('\ntext ').update(normalize(queries.texts[at]!), 'utf16le')
    else hash.update('\nvector ').update(queries.vectors[at]!)
    return hash.digest('base64')
  })
}
