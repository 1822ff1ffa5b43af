import type { z } from 'zod'
import { findClosestWord } from '../domain/closest-word.ts'
import { keysAt } from './walk-schema.ts'

/** A key of a profile and what is wrong with it. */
export type Problem = { readonly path: readonly PropertyKey[]; readonly message: string }

const TYPE_WORDS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys',
}

/** What an issue of the schema means to whoever wrote the profile; unknown keys are a problem each. */
export function describeIssue(issue: z.core.$ZodIssue, schema: z.core.$ZodType): Problem[] {
  if (issue.code !== 'unrecognized_keys') {
    const missing = issue.input === undefined ? 'missing; ' : ''
    return [{ path: issue.path, message: `${missing}${describeExpected(issue)}` }]
  }
  const known = keysAt(schema, issue.path)
  return issue.keys.map((key) => {
    const meant = findClosestWord(key, known)
    const expected = meant ? `did you mean ${meant}?` : `expected one of ${known.join(', ')}`
    return { path: [...issue.path, key], message: `no such key; ${expected}` }
  })
}

function describeExpected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPE_WORDS[issue.expected] ?? issue.expected}${describeFound(issue.input)}`
    case 'invalid_value':
      return `expected one of ${issue.values.join(', ')}${describeFound(issue.input)}`
    case 'too_small':
      return `expected ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${unitOf(issue.origin)}${describeFound(issue.input)}`
    case 'too_big':
      return `expected at most ${issue.maximum}${unitOf(issue.origin)}${describeFound(issue.input)}`
    case 'invalid_format':
      return issue.format === 'url'
        ? `expected an http or https address${describeFound(issue.input)}`
        : `${issue.message}${describeFound(issue.input)}`
    default:
      return issue.message
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters'
  return origin === 'array' ? ' entries' : ''
}

function describeFound(input: unknown): string {
  if (input === undefined) return ''
  if (input === null) return ', found nothing'
  if (Array.isArray(input)) return ', found a list'
  return typeof input === 'object' ? ', found a mapping' : `, found ${JSON.stringify(input)}`
}
