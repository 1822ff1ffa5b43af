import { LongshoreError } from './errors.ts'
import type { Judgements } from './rank-quality.ts'

/**
 * Relevance judgements in TREC's form, `query 0 item grade` a line, by query. Raises `usage` naming file and line for
 * anything else, and for a pair that is judged twice.
 */
export function parseQrels(text: string, where: string): Map<string, Judgements> {
  const queries = new Map<string, Map<string, number>>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const [query = '', , item = '', grade = '', ...more] = line.trim().split(/\s+/)
    if (!/^-?\d+$/.test(grade) || more.length > 0) {
      throw new LongshoreError(
        'usage',
        `${where}:${index + 1}: expected "query 0 item grade", found "${line.trim()}"`,
      )
    }
    const judged = queries.get(query) ?? new Map<string, number>()
    queries.set(query, judged)
    if (judged.has(item)) {
      throw new LongshoreError(
        'usage',
        `${where}:${index + 1}: item ${item} of query ${query} is judged twice`,
      )
    }
    judged.set(item, Math.max(0, Number(grade)))
  }
  return queries
}
