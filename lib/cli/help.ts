import { type ErrorKind, EXIT_CODES } from '../domain/errors.ts'
import { renderTable } from '../domain/table.ts'
import { COMMON_FLAGS, type Flag, type Flags, type Positionals } from './arguments.ts'

export type HelpSubject = {
  readonly name: string
  /** What the command does, in one sentence. */
  readonly summary: string
  /** Further paragraphs, printed as they are. */
  readonly description?: string
  readonly positionals: Positionals
  readonly flags: Flags
  /** Command lines, each with what it does. */
  readonly examples?: readonly (readonly [string, string])[]
}

/** What each kind of failure means to the operator, in a line. */
export const MEANINGS: Record<ErrorKind, string> = {
  bug: 'unexpected: a bug; the stack is printed',
  usage: 'wrong usage or configuration',
  partial: 'partly done: some nodes did not receive it; they are named',
  aborted: 'aborted by the operator',
  'not-found': 'not found',
  locked: 'locked by somebody else',
  corrupt: 'corrupt: contents differ from the manifest',
  gate: 'refused by a gate; nothing was changed',
  quarantined: 'refused: quarantined, or frozen after a rollback, until --force or another digest',
  'rolled-back': 'rolled back: the former generation is serving',
  stuck: 'stuck: a rollback failed; what stands where is printed',
  remote: 'a remote command or server failed',
  interrupted: 'interrupted; running the same command again continues',
}

/** The text of `--help`: usage, flags, examples and exit codes. */
export function renderHelp(subject: HelpSubject): string {
  const sections = [
    `${subject.summary}\n${subject.description ? `\n${subject.description}\n` : ''}`,
    `Usage:\n  npx zx scripts/${subject.name}.mjs${renderPositionals(subject.positionals)} [flags]\n`,
    `Flags:\n${renderFlags({ ...subject.flags, ...COMMON_FLAGS })}`,
    subject.examples && `Examples:\n${indent(renderTable(subject.examples))}`,
    `Exit codes:\n${renderExitCodes()}`,
  ]
  return sections.filter(Boolean).join('\n')
}

function renderPositionals({ min = 0, max, names }: Positionals): string {
  return names
    .slice(0, max)
    .map((name, index) => (index < min ? ` <${name}>` : ` [${name}]`))
    .join('')
}

function renderFlags(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, flag]: [string, Flag]) => [
    `--${name}${flag.type === 'string' ? ` ${flag.value ?? 'VALUE'}` : ''}`,
    flag.description,
  ])
  return indent(renderTable(rows))
}

function renderExitCodes(): string {
  const rows = (Object.keys(EXIT_CODES) as ErrorKind[]).map((kind) => [
    String(EXIT_CODES[kind]),
    MEANINGS[kind],
  ])
  return indent(renderTable([['0', 'done, or nothing to do'], ...rows], { right: [0] }))
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
