import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findImports, findViolations } from './support/layers.ts'
import { ROOT } from './support/shared.ts'

const SOURCES = globSync('{lib,services,scripts,bench}/**/*.{ts,mjs}', { cwd: ROOT })
const TESTS = globSync('test/**/*.ts', { cwd: ROOT })
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

test('every import follows the arrows between the layers', () => {
  assert.equal(
    SOURCES.flatMap((file) => findViolations(file, read(file))),
    [],
  )
  assert.ok(SOURCES.length > 30)
})

const FORBIDDEN: [string, string][] = [
  ['lib/domain/plan.ts', `import { readFile } from 'node:fs/promises'`],
  ['lib/domain/plan.ts', `import { z } from 'zod'`],
  ['lib/domain/plan.ts', `import type { Transport } from '../ports/transport.ts'`],
  ['lib/ports/store.ts', `import type { Profile } from '../config/schema.ts'`],
  ['lib/flows/update.ts', `import { createLocalTransport } from '../adapters/local/transport.ts'`],
  ['lib/flows/update.ts', `const { open } = await import('../adapters/local/transport.ts')`],
  ['lib/flows/update.ts', `import {\n  loadProfile,\n} from '../config/load.ts'`],
  ['lib/flows/update.ts', `import { renderPlan } from '../cli/render-plan.ts'`],
  ['lib/adapters/local/transport.ts', `export { update } from '../../flows/update.ts'`],
  ['lib/adapters/local/transport.ts', `import type { Profile } from '../../config/schema.ts'`],
  ['lib/cli/command.ts', `import '../adapters/local/transport.ts'`],
  ['lib/config/load.ts', `import { z } from 'zx'`],
  ['services/main.ts', `import { loadProfile } from '../lib/config/load.ts'`],
  ['services/gateway/app.ts', `import { update } from '../../lib/flows/update.ts'`],
  ['scripts/down.mjs', `import { loadProfile } from '../lib/config/load.ts'`],
  ['lib/cli/command.ts', `import { eventually } from '../../test/support/eventually.ts'`],
]

for (const [file, source] of FORBIDDEN) {
  test(`finds a forbidden import: ${file}, ${source.replaceAll(/\s+/g, ' ')}`, () => {
    assert.is(findViolations(file, `${source}\n`).length, 1)
  })
}

test('finds every kind of import in a source text', () => {
  const source = [
    `import a from 'one'`,
    `import type { B } from "two"`,
    `import { c,\n  d } from 'three'`,
    `import 'four'`,
    `export { e } from 'five'`,
    `export * from 'six'`,
    `const f = await import('seven')`,
    `type G = import('eight').G`,
    `const text = "import nothing from here"`,
  ].join('\n')
  const found = findImports(source).map(({ target }) => target)
  assert.equal(found, ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'])
})

test('allows flows the types of config, and nothing else of it', () => {
  assert.equal(findViolations('lib/flows/a.ts', `import type { Profile } from '../config/schema.ts'\n`), [])
  assert.is(
    findViolations('lib/flows/a.ts', `import { profileSchema } from '../config/schema.ts'\n`).length,
    1,
  )
})

test('only wire.ts and its parts pick adapters for commands', () => {
  const source = `const { createLocalTransport } = await import('../adapters/local/transport.ts')\n`
  assert.equal(findViolations('lib/cli/wire.ts', source), [])
  assert.is(findViolations('lib/cli/confirm.ts', source).length, 1)
})

test('every test file runs its tests, and none is left out or singled out', () => {
  for (const file of TESTS.filter((name) => name.endsWith('.test.ts'))) {
    assert.match(read(file), /^\w+\.run\(\)$/m, `${file} never calls .run()`)
    assert.not.match(
      read(file),
      /^\s*\w+\.(only|skip)\(/m,
      `${file} has a test that is skipped or singled out`,
    )
  }
})

test('no file is named after nothing in particular', () => {
  const vague = [...SOURCES, ...TESTS].filter((file) =>
    /util|helper|manager|misc|common/i.test(basename(file)),
  )
  assert.equal(vague, [])
})

test('nothing has a default export', () => {
  assert.equal(
    SOURCES.filter((file) => /^export default/m.test(read(file))),
    [],
  )
})

test.run()
