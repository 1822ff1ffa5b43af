import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { examineMarks } from '../../lib/domain/examine-marks.ts'
import type { Member } from '../../lib/domain/swarm-members.ts'

const DIGEST = `sha256:${'8'.repeat(64)}`
const VALUE = '8'.repeat(16)

function examine(parts: readonly string[], clusters?: readonly number[]): string[] {
  const labels = Object.fromEntries(parts.map((part) => [`longshore.demo.dg_8${part}`, VALUE]))
  const members = [{ name: 'n1', labels } as Partial<Member> as Member]
  const held = { name: 'dg_8', digest: DIGEST, ...(clusters && { clusters }) }
  const findings = examineMarks('demo', members, [{ name: 'n1', generations: [held] }])
  return findings.filter(({ state }) => state === 'fail').map(({ detail }) => detail)
}

test('finds nothing where all that is marked is there', () => {
  assert.equal(examine(['', '.common', '.clust_0', '.clust_3']), [])
  assert.equal(examine(['.common', '.clust_3'], [3, 5]), [])
  assert.equal(examine(['.common'], []), [])
})

test('names the shard that a node is marked with and does not have', () => {
  assert.equal(examine(['.common', '.clust_0', '.clust_3'], [3]), [
    `n1 is marked as holding clust_0 of dg_8 (${VALUE}), but shards are missing there`,
  ])
  assert.equal(examine([''], [3]), [`n1 is marked as holding dg_8 (${VALUE}), but shards are missing there`])
})

test.run()
