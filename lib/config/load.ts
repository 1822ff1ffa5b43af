import { readFile } from 'node:fs/promises'
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import { describeIssue } from './describe-issue.ts'
import { type Profile, profileSchema } from './schema.ts'

/** The profile in a YAML file. Raises `usage` naming file, line, key path and what was expected. */
export async function loadProfile(file: string): Promise<Profile> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new LongshoreError('usage', `cannot read the profile ${file}: ${messageOf(error)}`, {
      hint: `name one with --profile; relative paths start at the working directory, ${process.cwd()}`,
    })
  })
  return parseProfile(text, file)
}

/** As {@link loadProfile}, from a text; `file` stands in errors, one line for each problem. */
export function parseProfile(text: string, file: string): Profile {
  const hint = 'config/reference.yml shows and explains every key'
  return parseYaml(text, profileSchema, { file, whole: 'the profile', hint }).value
}

export type YamlSource = { readonly file: string; readonly whole: string; readonly hint: string }

/** A text by its schema, and where its keys stand, as `FILE:LINE: KEY`. Raises `usage`, one line for each problem. */
export function parseYaml<S extends z.ZodType>(
  text: string,
  schema: S,
  { file, whole, hint }: YamlSource,
): { readonly value: z.output<S>; locate(path: readonly PropertyKey[]): string } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const fail = (message: string) => new LongshoreError('usage', message, { hint })
  const [problem] = document.errors
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0])
    throw fail(`${file}:${line}:${col}: ${problem.message.split('\n')[0]}`)
  }
  const locate = (path: readonly PropertyKey[]) =>
    `${file}:${lines.linePos(findOffset(document.contents, path)).line || 1}: ${path.join('.') || whole}`
  const result = schema.safeParse(document.toJS() ?? {}, { reportInput: true })
  if (result.success) return { value: result.data, locate }
  const problems = result.error.issues.flatMap((issue) => describeIssue(issue, schema))
  throw fail(problems.map(({ path, message }) => `${locate(path)}: ${message}`).join('\n'))
}

/** Where the deepest part of a path stands that is in the document: the key itself, not its value. */
function findOffset(node: unknown, path: readonly PropertyKey[], found = 0): number {
  const [key, ...rest] = path
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key)
    if (pair && isScalar(pair.key)) return findOffset(pair.value, rest, pair.key.range?.[0] ?? found)
  }
  if (isSeq(node) && typeof key === 'number') {
    const item = node.items[key]
    const range = isMap(item) || isScalar(item) ? item.range : undefined
    return findOffset(item, rest, range?.[0] ?? found)
  }
  return found
}
