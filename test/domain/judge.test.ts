import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Findings, judge, type SearchFacts } from '../../lib/domain/judge.ts'
import { GATE_NAMES, type GateLimits } from '../../lib/domain/quality.ts'

const LIMITS: GateLimits = {
  selfRouting: 0.9,
  recall: 0.9,
  search: 0.99,
  golden: 0.95,
  duplicates: 0.5,
  rejects: 0.01,
  sizeChange: 0.5,
  norms: 0.001,
  model: 0.99,
}

function judgeSearches(searches: readonly SearchFacts[]) {
  const shard = {
    items: 10,
    own: 10,
    nonFinite: 0,
    firstNonFinite: null,
    normDeviation: 0,
    normRow: 0,
    atHome: 10,
  }
  const findings: Findings = {
    shards: [0, 1].map((cluster) => ({ cluster, ...shard })),
    searches,
    files: 8,
    bytes: 100,
    normalized: true,
    repeatedIds: 0,
    repeatedTexts: 0,
    nprobe: 1,
    recall: 1,
    golden: { queries: 1, foundAgain: 1, pairs: 0, met: null },
    rejects: 0,
    parent: null,
    model: { cosine: 1, detail: '' },
  }
  return judge(findings, LIMITS)
}

test('shows every gate once, in the order of their names', () => {
  assert.equal(
    judgeSearches([]).map(({ name }) => name),
    GATE_NAMES,
  )
})

test('passes the gate of searching where every shard is searched exactly', () => {
  const gate = judgeSearches([]).find(({ name }) => name === 'search')!
  assert.equal(gate, {
    name: 'search',
    measured: 1,
    limit: '>= 0.99',
    passed: true,
    detail: 'every shard is searched exactly',
  })
})

test('measures searching by the worst shard, and names it', () => {
  const facts = (cluster: number, recall: number): SearchFacts => ({ cluster, kind: 'hnsw', recall })
  const gateOf = (...recalls: number[]) =>
    judgeSearches(recalls.map((recall, cluster) => facts(cluster, recall))).find(
      ({ name }) => name === 'search',
    )!
  assert.equal([gateOf(1, 0.99).measured, gateOf(1, 0.99).passed], [0.99, true])
  const refused = gateOf(0.995, 0.9)
  assert.equal([refused.measured, refused.passed, refused.detail], [0.9, false, 'worst: clust_1, hnsw'])
  assert.is(gateOf(Number.NaN).passed, false)
})

test.run()
