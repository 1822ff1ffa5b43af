import { hostname, userInfo } from 'node:os'
import type { Answer, Context } from '../flows/context.ts'
import {
  type Flags,
  type FlagValues,
  findArguments,
  hasFlag,
  type ParsedArguments,
  type Positionals,
  parseArguments,
} from './arguments.ts'
import { keepCompiled } from './compile-cache.mjs'
import { createConfirm } from './confirm.ts'
import { createEnding } from './ending.ts'
import { renderHelp } from './help.ts'
import { type Interrupts, listenForInterrupts } from './interrupts.ts'
import { createReporter } from './reporters/choose.ts'
import { tellSinks } from './tell-sinks.ts'
import type { createContext } from './wire.ts'

export type CommandArguments<F extends Flags> = {
  readonly positionals: readonly string[]
  readonly flags: FlagValues<F>
  /** The profile's file as the operator gave it, to hand on to other commands. */
  readonly profileFile: string
  readonly json: boolean
  /** Prints to stdout before the answer, for commands that go on showing; does nothing under `--json`. */
  print(text: string): void
}

/** One command of the product: its words for `--help`, its arguments, and what it does. */
export type Command<F extends Flags> = {
  /** The script's file name without `.mjs`. */
  readonly name: string
  readonly summary: string
  readonly description?: string
  readonly positionals: Positionals
  readonly flags: F
  readonly examples?: readonly (readonly [string, string])[]
  run(context: Context, args: CommandArguments<F>): Promise<Answer>
}

export type CommandParts = {
  /** Makes the context; tests put fakes here. */
  readonly createContext?: typeof createContext
}

/**
 * Runs a command from `process.argv` to its exit code: help, arguments, profile, Ctrl-C, one answer on stdout. Never
 * throws, and ends exactly once: with the answer, with the failure, or, should neither come, with exit code 70.
 */
export async function command<const F extends Flags>(
  definition: Command<F>,
  parts: CommandParts = {},
): Promise<void> {
  const args = findArguments(process.argv, definition.name)
  const ending = createEnding({
    command: definition.name,
    json: hasFlag(args, 'json'),
    isStream: hasFlag(args, 'watch'),
    quiet: hasFlag(args, 'quiet'),
  })
  const interrupts = listenForInterrupts(() => ending.failNow(interrupts.error))
  try {
    const parsed = parseArguments(definition, args)
    if (parsed.common.help) return ending.showHelp(renderHelp(definition))
    await ending.succeed(await runWithContext(definition, parsed, interrupts, parts))
  } catch (error) {
    await ending.fail(interrupts.explain(error))
  } finally {
    interrupts.stopListening()
  }
}

async function runWithContext<F extends Flags>(
  definition: Command<F>,
  { positionals, flags, common }: ParsedArguments<F>,
  { signal, explain }: Interrupts,
  parts: CommandParts,
): Promise<Answer> {
  const reporter = createReporter({ json: common.json, quiet: common.quiet, stream: process.stderr })
  const profileFile = common.profile ?? 'config/local.yml'
  const isSilent = common.json || common.quiet
  const { context, close } = await (parts.createContext ?? (await loadWiring()))({
    profileFile,
    reporter,
    signal,
    owner: `${userInfo().username}@${hostname()} ${process.pid}`,
    dryRun: common['dry-run'],
    confirm: createConfirm({ yes: common.yes, showPlan: isSilent, signal, command: definition.name }),
  })
  const print = (text: string) => void (common.json || process.stdout.write(text))
  try {
    return await tellSinks(context, { command: definition.name, explain }, () =>
      definition.run(context, { positionals, flags, profileFile, json: common.json, print }),
    )
  } finally {
    await close().finally(() => reporter.close())
  }
}

/** Packages that only a command needs which goes to work, kept compiled. */
async function loadWiring(): Promise<typeof createContext> {
  keepCompiled()
  return (await import('./wire.ts')).createContext
}
