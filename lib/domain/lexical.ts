import { hashTextInto } from './text-hash.ts'

/** Energy of a word's parts beside the word itself, and of two words that stand side by side. */
const PARTS_WEIGHT = 1.1
const PAIR_WEIGHT = 0.6
const STOP_WEIGHT = 0.15
const SHORT_WEIGHT = 0.5
const PART_LENGTHS = [3, 4, 5] as const

/** Frequent English words that say little about what a text is about. */
const STOP_WORDS = new Set(
  `a about after all also am an and any are as at be because been before being best between but by can could
  did do does doing for from get good had has have having he her here him his how i if in into is it its
  just may me more most my no not of off on once only or other our out over own same she should so some such
  than that the their them then there these they this those to too under until up very was way we were what
  when where which while who whom why will with would you your`.split(/\s+/),
)

/** Occurrences of one feature and what one of them weighs. */
type Feature = { count: number; readonly weight: number }

/**
 * Embeddings of `texts`, row-major [texts, dimensions], each of unit length. Lexical: texts are near when they share
 * words and spellings; meaning is not known. Words, pairs of words and letter sequences of three to five are hashed to
 * signed positions, so that what falls together cancels on average; repeats count by 1 + ln(n). The same text gives
 * the same bytes on every machine. Source: Weinberger et al. 2009, Feature Hashing.
 */
export function embedLexical(texts: readonly string[], dimensions: number): Float32Array {
  const rows = new Float32Array(texts.length * dimensions)
  for (const [index, text] of texts.entries()) {
    const sums = sumFeatures(collectFeatures(text), dimensions)
    const squared = sums.reduce((total, value) => total + value * value, 0)
    const row = squared > 0 ? sums : sumFeatures(new Map([['', { count: 1, weight: 1 }]]), dimensions)
    const norm = squared > 0 ? Math.sqrt(squared) : 1
    for (let column = 0; column < dimensions; column++) {
      rows[index * dimensions + column] = row[column]! / norm
    }
  }
  return rows
}

/** What embedLexical sees of a text: texts for which it is the same have the same embedding. */
export function normalizeLexical(text: string): string {
  return splitWords(text).join(' ')
}

function sumFeatures(features: ReadonlyMap<string, Feature>, dimensions: number): Float64Array {
  const sums = new Float64Array(dimensions)
  const hash = new Uint32Array(2)
  for (const [name, { count, weight }] of features) {
    hashTextInto(name, hash)
    const sign = hash[1]! & 1 ? -1 : 1
    sums[hash[0]! % dimensions]! += sign * weight * (1 + Math.log(count))
  }
  return sums
}

function collectFeatures(text: string): Map<string, Feature> {
  const features = new Map<string, Feature>()
  const add = (name: string, weight: number) => {
    const known = features.get(name)
    if (known) known.count++
    else features.set(name, { count: 1, weight })
  }
  let former: { readonly word: string; readonly weight: number } | undefined
  for (const word of splitWords(text)) {
    const weight = weigh(word)
    add(`w ${word}`, weight)
    if (former) add(`p ${former.word} ${word}`, PAIR_WEIGHT * Math.sqrt(former.weight * weight))
    const parts = splitParts(word)
    for (const part of parts) add(`c ${part}`, (PARTS_WEIGHT * weight) / Math.sqrt(parts.length))
    former = { word, weight }
  }
  return features
}

/** Words in lower case; where a text has neither letters nor digits, whatever stands between white space. */
function splitWords(text: string): string[] {
  const plain = text.normalize('NFKC').toLowerCase().normalize('NFKC')
  return plain.match(/[\p{L}\p{M}\p{N}]+/gu) ?? plain.match(/\S+/gu) ?? []
}

function weigh(word: string): number {
  if (STOP_WORDS.has(word)) return STOP_WEIGHT
  return /^[a-z]{1,2}$/.test(word) ? SHORT_WEIGHT : 1
}

/** Letter sequences of a word between marks of its beginning and end. */
function splitParts(word: string): string[] {
  const letters = ['<', ...word, '>']
  return PART_LENGTHS.flatMap((length) =>
    Array.from({ length: Math.max(0, letters.length - length + 1) }, (_, start) =>
      letters.slice(start, start + length).join(''),
    ),
  )
}
