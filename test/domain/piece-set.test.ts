import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  addPiece,
  createPieceSet,
  findRarest,
  hasPiece,
  removePiece,
  visitPieces,
} from '../../lib/domain/piece-set.ts'

function makeSet(pieces: readonly number[]) {
  const set = createPieceSet(100)
  for (const piece of pieces) addPiece(set, piece)
  return set
}

test('holds what was added and not removed, in order', () => {
  const set = makeSet([99, 0, 31, 32, 63, 64])
  removePiece(set, 32)
  removePiece(set, 33)
  const seen: number[] = []
  visitPieces(set, (piece) => seen.push(piece))
  assert.equal(seen, [0, 31, 63, 64, 99])
  assert.ok(hasPiece(set, 31))
  assert.not(hasPiece(set, 32))
})

test('finds the rarest piece of both sets, from wherever it begins to look', () => {
  const copies = new Uint32Array(100).fill(9)
  copies[70] = 3
  copies[20] = 1
  copies[40] = 0
  const [held, wanted] = [makeSet([5, 20, 31, 70, 95]), makeSet([5, 31, 40, 70, 95, 99])]
  for (const start of [0, 0.3, 0.6, 0.999])
    assert.is(findRarest(held, wanted, { copies, start, most: 50 }), 70)
  assert.is(findRarest(makeSet([1]), makeSet([2]), { copies, start: 0.5, most: 50 }), -1)
})

test('looks at as many shared pieces as it may, those after its start first', () => {
  const copies = Uint32Array.from({ length: 100 }, (_, piece) => 100 - piece)
  const all = createPieceSet(100).fill(0xffffffff)
  const wanted = makeSet([1, 2, 3, 50, 51, 98])
  assert.is(findRarest(all, wanted, { copies, start: 0, most: 2 }), 2)
  assert.is(findRarest(all, wanted, { copies, start: 0.3, most: 2 }), 51)
  assert.is(findRarest(all, wanted, { copies, start: 0, most: 6 }), 98)
})

test.run()
