import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openInput } from '../../../lib/adapters/inputs/open-input.ts'
import { isTextItems } from '../../../lib/flows/split-items.ts'
import type { Input } from '../../../lib/ports/input.ts'
import { fixturePath, readExpected, readWhole } from '../../support/inputs.ts'
import { makeTempDir } from '../../support/temp.ts'

const { texts, rows } = readExpected()
type Listing = Record<string, string[]>

/** A copy of the first generation of the raw fixture, its listing changed. */
function copyRaw(change: (listing: Listing) => void = () => undefined): string {
  const directory = makeTempDir()
  for (const name of ['clusters_use_dg1.json', 'use_embeddings_dg1.pkl', 'clusters_centers_use_dg1.pkl']) {
    cpSync(fixturePath(`raw/${name}`), join(directory, name))
  }
  const path = join(directory, 'clusters_use_dg1.json')
  const listing = JSON.parse(readFileSync(path, 'utf8')) as Listing
  change(listing)
  writeFileSync(path, JSON.stringify(listing))
  return directory
}

/** Whether every batch says so. */
async function areDistinct(input: Input): Promise<boolean> {
  for await (const { items } of input.read(new AbortController().signal)) {
    if (!isTextItems(items) || !items.areDistinct) return false
  }
  return true
}

test('gives every embedding with its text and its cluster, in the order of the pickle', async () => {
  const input = await openInput(copyRaw())
  assert.is(input.kind, 'reference raw')
  assert.is(input.dimensions, 8)
  assert.equal(
    [...input.clusters!.centroids],
    rows.slice(0, 3).flatMap((row) => [...row]),
  )
  const whole = await readWhole(input)
  assert.equal(
    whole.items,
    texts.map((text) => ({ text })),
  )
  assert.equal(
    whole.vectors,
    rows.map((row) => [...row]),
  )
  assert.equal(
    whole.clusters,
    texts.map((_, row) => row % 3),
  )
  assert.equal(whole.rejects, [])
  assert.is(input.rows, 60)
})

test('gives the same rows when it is read again', async () => {
  const input = await openInput(copyRaw())
  assert.equal(await readWhole(input), await readWhole(input))
})

test('rejects what is in no cluster, in several, listed twice, or without an embedding', async () => {
  const directory = copyRaw((listing) => {
    listing['0'] = listing['0']!.filter((text) => text !== texts[0])
    listing['2']!.push(texts[7]!, 'never embedded')
    listing['1']!.push(texts[10]!)
  })
  const { items, rejects } = await readWhole(await openInput(directory))
  const reasons = new Map(rejects.map(({ row, reason }) => [row, reason]))
  assert.is(items.length, 58)
  assert.is(reasons.get(texts[0]!), 'is in no cluster')
  assert.is(rejects.find(({ row }) => row === texts[7])?.reason, 'is in more than one cluster')
  assert.is(reasons.get('never embedded'), 'is listed in a cluster, but has no embedding')
  assert.is(reasons.get(texts[10]!), 'is listed again in cluster 1')
})

test('rejects rows of another length', async () => {
  const directory = copyRaw((listing) => listing['0']!.push('too short', 'a matrix'))
  cpSync(fixturePath('pickles/odd.pkl'), join(directory, 'use_embeddings_dg1.pkl'))
  const { items, rejects } = await readWhole(await openInput(directory))
  assert.is(items.length, 60)
  assert.equal(rejects, [
    { row: 'too short', reason: 'has 5 numbers, expected 8' },
    { row: 'a matrix', reason: 'is no single row of 8 numbers' },
  ])
})

test('reads embeddings alone, without clusters', async () => {
  const directory = copyRaw()
  rmSync(join(directory, 'clusters_use_dg1.json'))
  const input = await openInput(directory)
  assert.is(input.clusters, null)
  assert.is((await readWhole(input)).items.length, 60)
})

test('promises that no text comes twice only where it looks up every text', async () => {
  const directory = copyRaw()
  assert.ok(await areDistinct(await openInput(directory)))
  rmSync(join(directory, 'clusters_use_dg1.json'))
  assert.not.ok(await areDistinct(await openInput(directory)))
})

test('asks which generation is meant where a directory holds several', async () => {
  const both = fixturePath('raw')
  try {
    await openInput(both)
    assert.unreachable()
  } catch (error) {
    assert.is((error as { kind: string }).kind, 'usage')
    assert.match((error as Error).message, 'holds several generations: dg1, dg2')
  }
  const [one, two] = [await openInput(both, { select: 'dg1' }), await openInput(both, { select: 'dg_2' })]
  assert.is((await readWhole(one)).vectors[0]![0], rows[0]![0])
  assert.is((await readWhole(two)).vectors[0]![0], rows[0]![0]! * 2)
  const file = await openInput(fixturePath('raw/clusters_use_dg2.json'))
  assert.is((await readWhole(file)).vectors[0]![0], rows[0]![0]! * 2)
})

test('names a missing part, a cluster without centre, and centres of another length', async () => {
  const bare = copyRaw()
  rmSync(join(bare, 'clusters_centers_use_dg1.pkl'))
  await rejects(openInput(bare), 'not-found', /no clusters_centers\*\.pkl of dg1/)
  const extra = copyRaw((listing) => (listing['3'] = ['x']))
  await rejects(
    openInput(extra).then((input) => readWhole(input)),
    'corrupt',
    /cluster "3" has no centre/,
  )
  const odd = copyRaw()
  cpSync(fixturePath('pickles/odd.pkl'), join(odd, 'clusters_centers_use_dg1.pkl'))
  await rejects(openInput(odd), 'corrupt', /expected a NumPy array for each of 0 to 61/)
})

test('stops between two batches when it is aborted', async () => {
  const input = await openInput(copyRaw())
  const stop = new AbortController()
  stop.abort(new Error('stopped by the operator'))
  await readWhole(input, stop.signal).then(
    () => assert.unreachable(),
    (error: Error) => {
      assert.is(error.message, 'stopped by the operator')
    },
  )
})

async function rejects(action: Promise<unknown>, kind: string, message: RegExp): Promise<void> {
  const error = await action.then(
    () => assert.unreachable('it was accepted'),
    (failure: Error & { kind: string }) => failure,
  )
  assert.is(error?.kind, kind)
  assert.match(error!.message, message)
}

test.run()
