import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashText } from '../../lib/domain/text-hash.ts'
import { Preparer } from '../../lib/flows/split-prepare.ts'
import type { NamedTexts } from '../../lib/ports/generation-writer.ts'
import type { TextItems } from '../../lib/ports/input.ts'

function encode(texts: readonly string[], areDistinct: boolean): TextItems {
  let end = 0
  return {
    length: texts.length,
    bytes: Buffer.from(texts.join('')),
    ends: Uint32Array.from(texts, (text) => {
      end += Buffer.byteLength(text)
      return end
    }),
    hashes: Uint32Array.from(texts.flatMap(hashText)),
    areDistinct,
  }
}

function decode({ bytes, ends }: NamedTexts): string[] {
  return Array.from(ends, (end, index) => Buffer.from(bytes.subarray(ends[index - 1] ?? 0, end)).toString())
}

/** One batch of texts, prepared; the embedding of each is a single number. */
function prepare(texts: readonly string[], { merge = false, areDistinct = false }, numbers: number[]) {
  const preparer = new Preparer({ dimensions: 1, merge, wanted: new Set(), expectedRows: texts.length })
  const vectors = Float32Array.from(numbers)
  const clusters = Int32Array.from(texts, (_, index) => index)
  const items = encode(texts, areDistinct)
  const prepared = preparer.prepare({ items, vectors, clusters, rejects: [] })
  return { ...prepared, items: prepared.items as NamedTexts }
}

test('leaves merged texts out, and keeps texts, hashes, embeddings and clusters of the others in step', () => {
  const texts = ['é', 'b', 'é', 'é', 'last']
  const { items, vectors, clusters, rejects } = prepare(texts, { merge: true }, [1, 2, 1, 3, 5])
  assert.equal(decode(items), ['é', 'b', 'é', 'last'])
  assert.equal([...items.hashes], ['é', 'b', 'é', 'last'].flatMap(hashText))
  assert.equal([...items.repetitions].slice(0, 4), [0, 0, 1, 0])
  assert.equal([...vectors], [1, 2, 3, 5])
  assert.equal([...clusters!], [0, 1, 3, 4])
  assert.equal(rejects, [{ row: 'é', reason: 'has the text and the embedding of an item before it' }])
})

test('counts how often a text came before, unless the input promises that none comes twice', () => {
  const texts = ['a', 'b', 'a', 'a']
  assert.equal([...prepare(texts, {}, [1, 2, 3, 4]).items.repetitions], [0, 0, 1, 2])
  assert.equal([...prepare(texts, { areDistinct: true }, [1, 2, 3, 4]).items.repetitions], [0, 0, 0, 0])
})

test.run()
