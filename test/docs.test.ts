import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MEANINGS } from '../lib/cli/help.ts'
import { type ErrorKind, EXIT_CODES } from '../lib/domain/errors.ts'
import { ROOT } from './support/shared.ts'

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const README = read('README.md')
const PACKAGE = JSON.parse(read('package.json')) as Record<'dependencies' | 'devDependencies', object>

test('the README tells every exit code in the words of --help', () => {
  for (const [kind, meaning] of Object.entries(MEANINGS)) {
    const row = `| ${EXIT_CODES[kind as ErrorKind]} | ${meaning} |`
    assert.ok(README.replaceAll('`', '').includes(row), row)
  }
})

test('docs/operations.md tells what every exit code asks of the operator', () => {
  const operations = read('docs/operations.md')
  for (const code of [0, ...Object.values(EXIT_CODES)])
    assert.match(operations, new RegExp(`^\\| ${code} \\| .+ \\|`, 'm'))
})

test('the README tells every command', () => {
  const commands = globSync('*.mjs', { cwd: join(ROOT, 'scripts') }).map((file) => file.replace('.mjs', ''))
  for (const name of commands.filter((command) => command !== 'start')) assert.match(README, `| \`${name}`)
})

test('docs/decisions.md gives a reason for every dependency', () => {
  const decisions = read('docs/decisions.md')
  const names = Object.keys({ ...PACKAGE.dependencies, ...PACKAGE.devDependencies })
  assert.equal(
    names.filter((name) => !name.startsWith('@types/') && !decisions.includes(`| \`${name}\` |`)),
    [],
  )
})

test('every dependency is imported, or is a program that the scripts of the package run', () => {
  const sources = globSync('{lib,services,scripts,bench,test}/**/*.{ts,mjs}', { cwd: ROOT })
    .map(read)
    .join('\n')
  const programs = ['node', 'zx']
  const unused = Object.keys(PACKAGE.dependencies).filter(
    (name) => !programs.includes(name) && !sources.includes(`'${name}'`),
  )
  assert.equal(unused, [])
})

test('every link between documents leads somewhere', () => {
  const documents = globSync('{*.md,docs/*.md,dgs/*.md}', { cwd: ROOT })
  for (const document of documents) {
    for (const [, target] of read(document).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      assert.not.throws(() => read(join(document, '..', target!)), `${document}: ${target}`)
    }
  }
})

test.run()
