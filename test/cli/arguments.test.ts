import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findArguments, hasFlag, parseArguments } from '../../lib/cli/arguments.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'

const RULES = {
  name: 'deliver',
  positionals: { max: 1, names: ['dg_N'] },
  flags: {
    force: { type: 'boolean', description: 'in spite of a quarantine' },
    to: { type: 'string', value: 'dg_N', description: 'the release' },
  },
} as const

function messageOf(args: string[], rules: Parameters<typeof parseArguments>[0] = RULES): string {
  try {
    parseArguments(rules, args)
  } catch (error) {
    assert.instance(error, LongshoreError)
    assert.is((error as LongshoreError).kind, 'usage')
    assert.match((error as LongshoreError).hint ?? '', 'npx zx scripts/deliver.mjs --help')
    return (error as LongshoreError).message
  }
  throw new Error('the arguments were accepted')
}

test('finds the arguments after the script, under zx and under Node.js', () => {
  const rest = ['dg_2', '--json']
  assert.equal(findArguments(['node', '/p/bin/zx', 'scripts/deliver.mjs', ...rest], 'deliver'), rest)
  assert.equal(
    findArguments(['node', '/p/bin/zx', '--quiet', './scripts/deliver.mjs', ...rest], 'deliver'),
    rest,
  )
  assert.equal(findArguments(['node', '/p/scripts/deliver.mjs', ...rest], 'deliver'), rest)
  assert.equal(findArguments(['node', '/p/other.mjs', ...rest], 'deliver'), rest)
})

test('takes an argument that has the name of the script as an argument', () => {
  assert.equal(findArguments(['node', '/p/scripts/deliver.mjs', 'deliver'], 'deliver'), ['deliver'])
})

test('gives every flag a value: false and undefined where it was left out', () => {
  const { positionals, flags, common } = parseArguments(RULES, ['dg_7', '--to', 'dg_3', '--json'])
  assert.equal(positionals, ['dg_7'])
  assert.equal(flags, { force: false, to: 'dg_3' })
  assert.is(common.json, true)
  assert.is(common.yes, false)
  assert.is(common.profile, undefined)
})

test('keeps digits as they were written', () => {
  assert.equal(parseArguments(RULES, ['007']).positionals, ['007'])
})

test('refuses an unknown flag, and says which one was meant', () => {
  assert.is(messageOf(['--dryrun']), 'there is no flag --dryrun; did you mean --dry-run?')
  assert.is(messageOf(['--colour']), 'there is no flag --colour')
  assert.is(messageOf(['-f']), 'there is no flag -f')
})

test('refuses a flag without its value, and a value where none belongs', () => {
  assert.match(messageOf(['--to']), '--to')
  assert.match(messageOf(['--to', '--json']), '--to')
  assert.match(messageOf(['--json=yes']), '--json')
})

test('refuses one argument too many, and one too few', () => {
  assert.is(messageOf(['dg_1', 'dg_2']), '"dg_2" is one argument too many: expected dg_N')
  const required = { ...RULES, positionals: { min: 1, max: 1, names: ['input'] } }
  assert.is(messageOf([], required), 'input is missing')
  assert.is(parseArguments(required, ['--help']).common.help, true)
  assert.is(parseArguments(required, ['-h']).common.help, true)
})

test('sees --json among arguments that cannot be parsed, but not after --', () => {
  assert.is(hasFlag(['--wrong', '--json'], 'json'), true)
  assert.is(hasFlag(['--', '--json'], 'json'), false)
})

test.run()
