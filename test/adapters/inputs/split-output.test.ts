import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openInput } from '../../../lib/adapters/inputs/open-input.ts'
import { fixturePath, readExpected, readWhole } from '../../support/inputs.ts'
import { sharedPath } from '../../support/shared.ts'
import { makeTempDir } from '../../support/temp.ts'

const { texts, rows } = readExpected()
const REAL = sharedPath('data/hardml/dgs/dg_2')
/** Where the floats begin in a pickled index of the reference system. */
const PAYLOAD = 62 + 45

function copySplit(): string {
  const directory = join(makeTempDir(), 'dg_1')
  cpSync(fixturePath('split'), directory, { recursive: true })
  return directory
}

async function failureOf(directory: string): Promise<{ kind: string; message: string }> {
  try {
    await readWhole(await openInput(directory))
  } catch (error) {
    return error as { kind: string; message: string }
  }
  return assert.unreachable('it was accepted') as never
}

test('reads pickled and plain indexes, texts by number and as a list', async () => {
  const input = await openInput(fixturePath('split'))
  assert.is(input.rows, 60)
  const whole = await readWhole(input)
  const order = [0, 1, 2].flatMap((shard) => texts.map((_, row) => row).filter((row) => row % 3 === shard))
  assert.equal(
    whole.items,
    order.map((row) => ({ text: texts[row] })),
  )
  assert.equal(
    whole.vectors,
    order.map((row) => [...rows[row]!]),
  )
  assert.equal(
    whole.clusters,
    order.map((row) => row % 3),
  )
})

test('reads the vectors of the reference system bit by bit', async () => {
  const input = await openInput(REAL)
  assert.is(input.rows, 4000)
  assert.equal(input.clusters!.ids, [0, 1, 2, 3])
  const given: Buffer[][] = [[], [], [], []]
  for await (const { vectors, clusters } of input.read(new AbortController().signal)) {
    clusters!.forEach((cluster, row) => {
      given[cluster]!.push(Buffer.from(vectors!.slice(row * 512, row * 512 + 512).buffer))
    })
  }
  for (const [cluster, found] of given.entries()) {
    const index = readFileSync(join(REAL, `clust_${cluster}`, 'index'))
    assert.is(found.length, 1000)
    assert.ok(Buffer.concat(found).equals(index.subarray(PAYLOAD, PAYLOAD + 1000 * 2048)), `clust_${cluster}`)
  }
})

test('names the shard whose texts and vectors are out of step', async () => {
  for (const count of [19, 21]) {
    const directory = copySplit()
    const listed = Array.from({ length: count }, (_, row) => `text ${row}`)
    writeFileSync(join(directory, 'clust_1', 'sentences.json'), JSON.stringify(listed))
    const { kind, message } = await failureOf(directory)
    assert.is(kind, 'corrupt')
    assert.match(message, new RegExp(`clust_1: index has 20 vectors, sentences.json has ${count} texts`))
  }
})

test('names a missing shard, one without centre, and keys out of order', async () => {
  const gap = copySplit()
  rmSync(join(gap, 'clust_1'), { recursive: true })
  assert.match((await failureOf(gap)).message, 'clust_1 is missing')
  const extra = copySplit()
  cpSync(join(extra, 'clust_1'), join(extra, 'clust_3'), { recursive: true })
  assert.match((await failureOf(extra)).message, 'clust_3 has no centre')
  const mixed = copySplit()
  writeFileSync(join(mixed, 'clust_0', 'sentences.json'), '{"0": "a", "2": "b"}')
  assert.match((await failureOf(mixed)).message, 'found the key "2", expected "1"')
})

test('says that the centres are missing', async () => {
  const directory = copySplit()
  rmSync(join(directory, 'clust_centers.npy'))
  const { kind, message } = await failureOf(directory)
  assert.is(kind, 'not-found')
  assert.match(message, /clust_centers\.npy: no such file/)
})

test.run()
