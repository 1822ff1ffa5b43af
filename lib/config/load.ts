import { readFile } from 'node:fs/promises'
import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import { type Profile, profileSchema } from './schema.ts'

/** The profile in a YAML file. Raises `usage` naming file, line, key path and what was expected. */
export async function loadProfile(file: string): Promise<Profile> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new LongshoreError('usage', `cannot read the profile ${file}: ${messageOf(error)}`, {
      hint: 'name one with --profile; config/local.yml is the default',
    })
  })
  return parseProfile(text, file)
}

/** As {@link loadProfile}, from a text; `file` stands in errors. */
export function parseProfile(text: string, file: string): Profile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const [problem] = document.errors
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0])
    throw fail(`${file}:${line}:${col}: ${problem.message.split('\n')[0]}`)
  }
  const result = profileSchema.safeParse(document.toJS() ?? {})
  if (result.success) return result.data
  throw fail(result.error.issues.map((issue) => describe(issue, document, lines, file)).join('\n'))
}

function fail(message: string): LongshoreError {
  return new LongshoreError('usage', message, { hint: 'config/reference.yml shows and explains every key' })
}

function describe(issue: z.core.$ZodIssue, document: Document, lines: LineCounter, file: string): string {
  const keys = issue.code === 'unrecognized_keys' ? issue.keys : []
  const path = [...issue.path, ...keys.slice(0, 1)]
  const where = `${file}:${findLine(path, document, lines)}: ${path.length > 0 ? path.join('.') : 'the profile'}`
  return keys.length > 0 ? `${where}: no such key` : `${where}: ${issue.message}`
}

/** The line of the deepest key of `path` that stands in the document. */
function findLine(path: readonly PropertyKey[], document: Document, lines: LineCounter): number {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return 1
}
