import { basename } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { findClosestWord } from '../domain/closest-word.ts'
import { LongshoreError, messageOf } from '../domain/errors.ts'

/** A flag of a command; `value` is what the help shows in place of the value of a string flag. */
export type Flag = {
  readonly type: 'boolean' | 'string'
  readonly value?: string
  readonly short?: string
  readonly description: string
}
export type Flags = Readonly<Record<string, Flag>>

/** What was given for flags: false or undefined where a flag was left out. */
export type FlagValues<F extends Flags> = {
  readonly [K in keyof F]: F[K]['type'] extends 'boolean' ? boolean : string | undefined
}

export type Positionals = {
  readonly min?: number
  readonly max: number
  /** Names as the help shows them, for example `dg_N`. */
  readonly names: readonly string[]
}

/** Flags that every command has. */
export const COMMON_FLAGS = {
  profile: {
    type: 'string',
    value: 'FILE',
    description: 'the target environment (default: config/local.yml)',
  },
  'dry-run': { type: 'boolean', description: 'show what would be done, and do nothing' },
  yes: { type: 'boolean', description: 'do not ask; for cron and CI' },
  json: { type: 'boolean', description: 'one JSON document on stdout, whatever happens' },
  quiet: {
    type: 'boolean',
    description: 'tell no story on stderr, and nothing at all when there is nothing to do',
  },
  help: { type: 'boolean', short: 'h', description: 'show this help' },
} as const satisfies Flags

export type ParsedArguments<F extends Flags> = {
  readonly positionals: readonly string[]
  readonly flags: FlagValues<F>
  readonly common: FlagValues<typeof COMMON_FLAGS>
}

export type ArgumentRules<F extends Flags> = {
  readonly name: string
  readonly positionals: Positionals
  readonly flags: F
}

/** The arguments after the script's own path, whether zx or Node.js itself runs it. */
export function findArguments(argv: readonly string[], name: string): readonly string[] {
  const script = argv.findIndex((part, index) => index > 0 && basename(part).replace(/\.m?js$/, '') === name)
  return argv.slice(script < 0 ? 2 : script + 1)
}

/** Whether a flag stands among raw arguments, for when they cannot be parsed. */
export function hasFlag(args: readonly string[], flag: string): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).includes(`--${flag}`)
}

/** What the operator asked for. Raises `usage` for unknown flags, missing values, too few or too many positionals. */
export function parseArguments<F extends Flags>(
  rules: ArgumentRules<F>,
  args: readonly string[],
): ParsedArguments<F> {
  const all: Flags = { ...rules.flags, ...COMMON_FLAGS }
  refuseUnknown(rules.name, args, all)
  const { values, positionals } = parseStrictly(rules.name, args, all)
  if (values.help !== true) checkPositionals(rules, positionals)
  const pick = (flags: Flags) =>
    Object.fromEntries(
      Object.entries(flags).map(([key, { type }]) => [
        key,
        values[key] ?? (type === 'boolean' ? false : undefined),
      ]),
    )
  return {
    positionals,
    flags: pick(rules.flags) as FlagValues<F>,
    common: pick(COMMON_FLAGS) as FlagValues<typeof COMMON_FLAGS>,
  }
}

function refuseUnknown(name: string, args: readonly string[], all: Flags): void {
  const { tokens } = parseArgs({ args: [...args], options: optionsOf(all), strict: false, tokens: true })
  const unknown = tokens.find((token) => token.kind === 'option' && !Object.hasOwn(all, token.name))
  if (unknown?.kind !== 'option') return
  const meant = findClosestWord(unknown.name, Object.keys(all))
  throw usageError(name, `there is no flag ${unknown.rawName}${meant ? `; did you mean --${meant}?` : ''}`)
}

function parseStrictly(name: string, args: readonly string[], all: Flags) {
  try {
    return parseArgs({ args: [...args], options: optionsOf(all), strict: true, allowPositionals: true })
  } catch (error) {
    throw usageError(name, messageOf(error).split('. ')[0] ?? '')
  }
}

function checkPositionals<F extends Flags>(rules: ArgumentRules<F>, given: readonly string[]): void {
  const { min = 0, max, names } = rules.positionals
  if (given.length < min) throw usageError(rules.name, `${names[given.length]} is missing`)
  if (given.length > max) {
    throw usageError(
      rules.name,
      `"${given[max]}" is one argument too many: expected ${names.join(' ') || 'none'}`,
    )
  }
}

function optionsOf(flags: Flags): NonNullable<ParseArgsConfig['options']> {
  return Object.fromEntries(
    Object.entries(flags).map(([key, { type, short }]) => [key, { type, ...(short && { short }) }]),
  )
}

function usageError(name: string, message: string): LongshoreError {
  return new LongshoreError('usage', message, {
    hint: `npx zx scripts/${name}.mjs --help shows every flag`,
  })
}
