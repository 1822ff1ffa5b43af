import type { HttpAnswer } from '../http/client.ts'
import type { Refusal } from './wire.ts'

/** An answer is quoted no longer than this: it may be a page of a proxy. */
const MOST_WORDS = 200

/** What a refusal says, without the key that the server may repeat in it. */
export function readRefusal({ status, headers, body }: HttpAnswer, key: string | undefined): Refusal {
  const text = body.toString('utf8')
  const json = parseOrNothing(text)
  const words = (findWords(json) ?? text).slice(0, MOST_WORDS)
  return { status, headers, json, message: key ? words.replaceAll(key, '***') : words }
}

/** The words of an error in the forms that the servers have: a text, a member of an object, the first of a list. */
function findWords(json: unknown): string | undefined {
  if (typeof json === 'string') return json
  if (Array.isArray(json)) return findWords(json[0])
  if (typeof json !== 'object' || json === null) return undefined
  const { error, detail, message, status, dd_msg, msg } = json as Record<string, unknown>
  for (const part of [error, message, detail, status, dd_msg, msg]) {
    const words = findWords(part)
    if (words !== undefined) return words
  }
  return undefined
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not every refusal is JSON: then its text is all there is.
    return undefined
  }
}
