import { LongshoreError, messageOf } from '../domain/errors.ts'
import { parseQrels } from '../domain/qrels.ts'
import type { Judgements } from '../domain/rank-quality.ts'
import type { Question } from './compare.ts'
import type { Context } from './context.ts'

export type QuestionFiles = {
  /** Relevance judgements in TREC's form. */
  readonly qrels?: string | undefined
  /** The texts of their queries: one JSON object `{id, text}` a line. */
  readonly queries?: string | undefined
}

/**
 * The golden pairs of the profile and the judged queries of two files. Raises `usage` naming file and line, also for judged
 * queries without a text.
 */
export async function readQuestions(
  { profile, inputs }: Pick<Context, 'profile' | 'inputs'>,
  { qrels, queries }: QuestionFiles,
): Promise<Question[]> {
  const pairs = profile.split.goldenPairs ? await inputs.readPairs(profile.split.goldenPairs) : []
  const golden = pairs.map(({ query, id }) => ({ text: query, judgements: new Map([[id, 1]]) }))
  if (qrels === undefined && queries === undefined) return golden
  if (qrels === undefined || queries === undefined) {
    throw new LongshoreError('usage', '--qrels FILE and --queries FILE: expected both, or neither')
  }
  const judged = parseQrels(await inputs.readText(qrels), qrels)
  return [...golden, ...joinTexts(judged, parseTexts(await inputs.readText(queries), queries), queries)]
}

function joinTexts(
  judged: ReadonlyMap<string, Judgements>,
  texts: ReadonlyMap<string, string>,
  where: string,
): Question[] {
  return [...judged].map(([query, judgements]) => {
    const text = texts.get(query)
    if (text !== undefined) return { text, judgements }
    throw new LongshoreError('usage', `${where}: has no query ${query}, which is judged`)
  })
}

function parseTexts(file: string, where: string): Map<string, string> {
  const texts = new Map<string, string>()
  for (const [index, line] of file.split('\n').entries()) {
    if (line.trim() === '') continue
    const { id, text } = parseLine(line, `${where}:${index + 1}`)
    texts.set(id, text)
  }
  return texts
}

function parseLine(line: string, where: string): { id: string; text: string } {
  const expected = 'expected {"id": "...", "text": "..."}'
  let query: { id?: unknown; text?: unknown } | null
  try {
    query = JSON.parse(line)
  } catch (error) {
    throw new LongshoreError('usage', `${where}: ${messageOf(error)}; ${expected}`, { cause: error })
  }
  const { id, text } = query ?? {}
  if (typeof id === 'string' && typeof text === 'string') return { id, text }
  throw new LongshoreError('usage', `${where}: ${expected}`)
}
