import { LongshoreError } from '../../domain/errors.ts'

const PLAIN = /^[A-Za-z0-9_./:@%+,-]+$/

/**
 * The line that makes a POSIX shell run a program with exactly these arguments. Raises `usage` for an argument that
 * holds a zero byte, which no program can be given, and when there is no program.
 */
export function quoteArgv(argv: readonly string[]): string {
  if (argv.length === 0) throw new LongshoreError('usage', 'there is no program to run')
  const forbidden = argv.find((argument) => argument.includes('\0'))
  if (forbidden !== undefined) {
    throw new LongshoreError('usage', `${JSON.stringify(forbidden)} holds a zero byte`)
  }
  return argv.map(quoteArgument).join(' ')
}

function quoteArgument(argument: string): string {
  // Between single quotes nothing has a meaning but the closing one.
  return PLAIN.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`
}
