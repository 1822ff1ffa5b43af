import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { z } from 'zod'
import { parseProfile } from '../../lib/config/load.ts'
import { profileSchema } from '../../lib/config/schema.ts'
import { unwrap } from '../../lib/config/walk-schema.ts'
import { ROOT } from '../support/shared.ts'

const TEXT = readFileSync(join(ROOT, 'config/reference.yml'), 'utf8')
// A key that has no default is shown as an example, commented out: `  # url: http://...`.
const SHOWN = parse(TEXT.replaceAll(/^(\s*)# ([A-Za-z]+): (?=\S+$)/gm, '$1$2: ')) as Record<string, unknown>
const WRITTEN = parse(TEXT) as Record<string, unknown>

/** Every leaf of a schema as `a.b`; entries of a list are its first. */
function leavesOf(schema: z.core.$ZodType, path: string[] = []): string[][] {
  const plain = unwrap(schema)
  if (plain instanceof z.ZodArray) return leavesOf(plain.element, [...path, '0'])
  if (!(plain instanceof z.ZodObject)) return [path]
  return Object.entries(plain.shape).flatMap(([key, child]) =>
    leavesOf(child as z.core.$ZodType, [...path, key]),
  )
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (current, key) => (current as Record<string, unknown> | undefined)?.[key],
    value,
  )
}

/** A further model says what embeds it as the first one does; the keys are shown there. */
const LEAVES = leavesOf(profileSchema).filter((path) => path.slice(0, 3).join() !== 'models,0,extraction')

test('the reference profile shows every key of the schema', () => {
  const missing = LEAVES.filter((path) => valueAt(SHOWN, path) === undefined)
  assert.equal(missing, [])
  assert.ok(LEAVES.length > 25)
})

test('the reference profile shows no key that the schema does not know', () => {
  assert.not.throws(() => parseProfile(TEXT, 'config/reference.yml'))
})

test('every value of the reference profile is the default of the schema, where there is one', () => {
  const { name, nodes, model, models, moves } = WRITTEN
  const defaults = profileSchema.parse({ name, nodes, model, models, moves })
  for (const path of LEAVES.filter((leaf) => valueAt(WRITTEN, leaf) !== undefined)) {
    assert.equal(valueAt(WRITTEN, path), valueAt(defaults, path), path.join('.'))
  }
})

test('every default of the schema is written in the reference profile', () => {
  const { name, nodes, model, models, moves } = WRITTEN
  const defaults = profileSchema.parse({ name, nodes, model, models, moves })
  const hidden = LEAVES.filter(
    (path) => path[0] !== 'model' && path[0] !== 'models' && valueAt(defaults, path) !== undefined,
  ).filter((path) => valueAt(WRITTEN, path) === undefined)
  assert.equal(hidden, [])
})

test('every key of the reference profile is explained by a comment', () => {
  const lines = TEXT.split('\n')
  const bare = lines.filter((line, index) => {
    const isKey = /^\s*(# )?[A-Za-z]+:( \S+)?$/.test(line) && !/^\s*(name|version):/.test(line)
    const before = lines.slice(0, index).findLastIndex((other) => /^\s*# .* /.test(other))
    return isKey && index - before > 4
  })
  assert.equal(bare, [])
})

test.run()
