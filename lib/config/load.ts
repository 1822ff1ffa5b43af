import { readFile } from 'node:fs/promises'
import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import { describeIssue, type Problem } from './describe-issue.ts'
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
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const [problem] = document.errors
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0])
    throw fail(`${file}:${line}:${col}: ${problem.message.split('\n')[0]}`)
  }
  const result = profileSchema.safeParse(document.toJS() ?? {}, { reportInput: true })
  if (result.success) return result.data
  const problems = result.error.issues.flatMap((issue) => describeIssue(issue, profileSchema))
  throw fail(problems.map((found) => renderProblem(found, document, lines, file)).join('\n'))
}

function fail(message: string): LongshoreError {
  return new LongshoreError('usage', message, { hint: 'config/reference.yml shows and explains every key' })
}

function renderProblem({ path, message }: Problem, document: Document, lines: LineCounter, file: string) {
  const offset = findOffset(document.contents, path)
  return `${file}:${lines.linePos(offset).line || 1}: ${path.join('.') || 'the profile'}: ${message}`
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
