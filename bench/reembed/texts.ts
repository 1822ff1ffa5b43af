import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { Entry } from '../../lib/domain/batch.ts'
import { hashContent } from '../../lib/domain/content.ts'

const WORDS = 'harbour crane vessel pilot quay tide lock buoy cargo hatch berth anchor'.split(' ')

/** A sentence of some 60 characters; each number has its own. */
export function makeText(at: number): string {
  const words = Array.from({ length: 8 }, (_, place) => WORDS[(at * 7 + place * place) % WORDS.length])
  return `${words.join(' ')} ${at}`
}

/** Numbered contents that are never waited for. */
export async function* makeEntries(items: number): AsyncGenerator<Entry> {
  for (let at = 0; at < items; at++) {
    const content = { kind: 'text', text: makeText(at) } as const
    yield { hash: hashContent(content), content }
  }
}

/** A gallery of so many items as JSONL. */
export async function writeGallery(path: string, items: number): Promise<void> {
  const file = createWriteStream(path)
  for (let at = 0; at < items; at++) {
    const isRoom = file.write(`${JSON.stringify({ id: `i${at}`, text: makeText(at) })}\n`)
    if (!isRoom) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
}
