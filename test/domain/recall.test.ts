import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { GoldenHit } from '../../lib/domain/golden.ts'
import { chooseNprobe } from '../../lib/domain/quality.ts'
import { isFoundAgain, measureRecall, NEIGHBOURS_KEPT } from '../../lib/domain/recall.ts'

const hit = (id: string, cluster: number, score: number): GoldenHit => ({ id, cluster, score })

test('counts a neighbour once its cluster is asked, and leaves the sampled item itself out', () => {
  const found = [hit('q', 5, 1), hit('a', 5, 0.9), hit('b', 7, 0.8), hit('c', 9, 0.7), hit('d', 9, 0.6)]
  assert.equal(measureRecall([{ id: 'q', found }], [[7, 5, 9]]), [
    { nprobe: 1, recall: 0.25 },
    { nprobe: 2, recall: 0.5 },
    { nprobe: 3, recall: 1 },
  ])
})

test('counts a neighbour once any cluster is asked that holds a copy of it', () => {
  const found = [{ ...hit('a', 5, 0.9), copies: [7] }, hit('b', 9, 0.8)]
  assert.equal(
    measureRecall([{ id: 'q', found }], [[7, 5, 9]]).map(({ recall }) => recall),
    [0.5, 0.5, 1],
  )
})

test('counts items that tie with the tenth as good as it', () => {
  const far = Array.from({ length: 10 }, (_, index) => hit(`far ${index}`, 1, 0.5))
  const near = Array.from({ length: 10 }, (_, index) => hit(`near ${index}`, 0, 0.5))
  const [first] = measureRecall([{ id: 'q', found: [...far, ...near] }], [[0, 1]])
  assert.is(first!.recall, 1)
})

test('chooses the least number of clusters that reaches the target, or all', () => {
  const curve = [0.5, 0.96, 1].map((recall, index) => ({ nprobe: index + 1, recall }))
  assert.is(chooseNprobe(curve, 0.95), 2)
  assert.is(chooseNprobe(curve, 0.4), 1)
  assert.is(chooseNprobe(curve.slice(0, 2), 1), 2)
})

test('finds stored neighbours again only under their id, in their cluster and with their score', () => {
  const stored = [hit('a', 0, 0.9)]
  assert.ok(isFoundAgain(stored, [hit('b', 0, 0.95), hit('a', 0, 0.90001)]))
  assert.not.ok(isFoundAgain(stored, [hit('a', 0, 0.8)]))
  assert.not.ok(isFoundAgain(stored, [hit('a', 1, 0.9)]))
  assert.not.ok(isFoundAgain(stored, [hit('b', 0, 0.9)]))
})

test('takes a neighbour for found that ties with the last one looked at: it may have been cut off', () => {
  const ties = Array.from({ length: NEIGHBOURS_KEPT }, (_, index) => hit(`tie ${index}`, 0, 0.9))
  assert.ok(isFoundAgain([hit('a', 0, 0.9)], ties))
  assert.not.ok(isFoundAgain([hit('a', 0, 0.95)], ties))
})

test.run()
