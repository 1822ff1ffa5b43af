import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseProfile } from '../../lib/config/load.ts'
import { ROOT } from '../support/shared.ts'

const TEXT = readFileSync(join(ROOT, 'config/swarm.example.yml'), 'utf8')
const LINES = TEXT.split('\n')

test('the example of a Swarm is a profile', () => {
  const { engine, nodes, swarm } = parseProfile(TEXT, 'config/swarm.example.yml')
  assert.is(engine, 'swarm')
  assert.equal(
    swarm.managers,
    nodes.map(({ name }) => name),
  )
})

test('what the example of a Swarm has commented out is right as well', () => {
  const whole = TEXT.replaceAll(/^#( *[a-z]+:.*)$/gm, '$1')
  assert.is(parseProfile(whole, 'config/swarm.example.yml').extraction.url, 'http://tf-serving.example:8501')
})

test('the example of a Swarm is no profile without what a Swarm needs', () => {
  for (const line of LINES.filter((text) => /^ +(host|managers):/.test(text))) {
    assert.throws(() => parseProfile(TEXT.replace(line, ''), 'example.yml'), /host|managers/, line)
  }
})

test('every key of the example of a Swarm is explained by a comment', () => {
  const bare = LINES.filter((line, at) => {
    const isKey = /^( *)[A-Za-z]+:/.test(line) && !/^ +(host|version):/.test(line)
    const isExplained = [LINES[at - 1], LINES[at + 1]].some((other) => /^ *# /.test(other ?? ''))
    return isKey && !isExplained
  })
  assert.equal(bare, [])
})

test.run()
