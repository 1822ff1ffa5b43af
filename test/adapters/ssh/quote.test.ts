import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quoteArgv } from '../../../lib/adapters/ssh/quote.ts'
import { rejectsWith } from '../../support/errors.ts'

/** What a program that is started by a POSIX shell with this line gets as its arguments. */
function readArguments(line: string): string[] {
  const output = execFileSync('sh', ['-c', line], {
    env: { PATH: process.env.PATH, HOME: '/home', IFS: 'x' },
  })
  return output.toString().split('\0').slice(0, -1)
}

// Characters that mean something to a shell, more often than chance would bring them.
const piece = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    "'",
    "''",
    '"',
    '\\',
    '\n',
    '$(id)',
    '`id`',
    '$HOME',
    '*',
    '~',
    ' ',
    ';',
    '&',
    '!',
    '#',
    '-',
  ),
)
const argument = fc
  .array(piece, { maxLength: 8 })
  .map((pieces) => pieces.join('').replaceAll('\0', ''))
  .filter((text) => text.isWellFormed())

test('a shell hands on exactly the arguments that were quoted', () => {
  const property = fc.property(fc.array(argument, { minLength: 1, maxLength: 6 }), (given) => {
    assert.equal(readArguments(quoteArgv(['printf', '%s\\0', ...given])), given)
  })
  fc.assert(property, { numRuns: 300 })
})

test('names with quotes, spaces and line feeds cannot break out', () => {
  const given = ["it's", 'two words', 'two\nlines', '$(touch x)', "'; touch x; '", '', '-rf', '\\']
  assert.equal(readArguments(quoteArgv(['printf', '%s\\0', ...given])), given)
})

test('refuses a zero byte, and to run nothing', async () => {
  const quote = async (argv: string[]) => quoteArgv(argv)
  await rejectsWith(quote(['printf', 'a\0b']), 'usage', /zero byte/)
  await rejectsWith(quote([]), 'usage', /no program/)
})

test.run()
