import { readFile } from 'node:fs/promises'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { ExpectedPair } from '../../ports/input.ts'

const EXPECTED = 'expected {"query": "...", "id": "..."}'

/** The user's own expectations, one JSON object a line; empty lines are skipped. Raises `usage` naming file and line. */
export async function readGoldenPairs(path: string): Promise<ExpectedPair[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new LongshoreError('usage', `cannot read the golden pairs: ${messageOf(error)}`, {
      hint: 'correct split.goldenPairs in the profile',
      cause: error,
    })
  })
  return text.split('\n').flatMap((line, index) => {
    return line.trim() === '' ? [] : [parsePair(line, `${path}:${index + 1}`, index + 1)]
  })
}

function parsePair(text: string, where: string, line: number): ExpectedPair {
  let pair: { query?: unknown; id?: unknown } | null
  try {
    pair = JSON.parse(text)
  } catch (error) {
    throw new LongshoreError('usage', `${where}: ${messageOf(error)}; ${EXPECTED}`, { cause: error })
  }
  const { query, id } = pair ?? {}
  if (typeof query === 'string' && typeof id === 'string') return { query, id, line }
  throw new LongshoreError('usage', `${where}: ${EXPECTED}`)
}
