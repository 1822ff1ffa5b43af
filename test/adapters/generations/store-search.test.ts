import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGenerationStore } from '../../../lib/adapters/generations/store.ts'
import type { Manifest } from '../../../lib/domain/manifest.ts'
import type { GateResult } from '../../../lib/domain/quality.ts'
import { split } from '../../../lib/flows/split.ts'
import type { GateContext } from '../../../lib/ports/generation-store.ts'
import { forgeGeneration } from '../../support/damage.ts'
import { raised } from '../../support/raised.ts'
import { makeInput, makeRows, makeSplitContext } from '../../support/split.ts'
import { makeTempDir } from '../../support/temp.ts'

const KINDS = ['exact-i8', 'hnsw'] as const
const FILES = { 'exact-i8': 'index.i8.npy', hnsw: 'index.usearch' } as const

const worlds = KINDS.map((kind) => {
  const root = makeTempDir()
  return { root, ...makeSplitContext(root, makeInput(makeRows(800)), `split: {search: ${kind}}`) }
})

test.before(async () => {
  for (const { context } of worlds) await split(context, { path: 'rows' })
})

for (const [index, kind] of KINDS.entries()) {
  const world = worlds[index]!
  const file = `clust_1/${FILES[kind]}`

  /** Measures a copy that was spoiled, and whose manifest was made to fit where it is told what to change. */
  const measure = async (
    spoil: (copy: string) => Promise<unknown>,
    forge?: (manifest: Manifest) => Partial<Manifest>,
    limits: Partial<GateContext['limits']> = {},
  ): Promise<GateResult[]> => {
    const root = makeTempDir()
    await cp(world.root, root, { recursive: true })
    if (forge) {
      await forgeGeneration(root, { from: 'dg_1', to: 'dg_2' }, async (copy, manifest) => {
        await spoil(copy)
        return forge(manifest)
      })
    } else await spoil(join(root, 'dg_1'))
    const store = createGenerationStore(root)
    const { gateContext } = world
    return store.measure(await store.read(forge ? 'dg_2' : 'dg_1'), {
      ...gateContext,
      limits: { ...gateContext.limits, ...limits },
    })
  }
  const searchGate = (gates: readonly GateResult[]) => gates.find(({ name }) => name === 'search')!

  test(`measures searching by ${kind} as it was measured when it was split`, async () => {
    const gates = await measure(async () => undefined)
    assert.equal(searchGate(gates), searchGate(world.gates))
    assert.match(searchGate(gates).detail ?? '', new RegExp(`worst: clust_\\d, ${kind}`))
    assert.ok(gates.every(({ passed }) => passed))
  })

  test(`holds ${kind} against the limit of today`, async () => {
    const gates = await measure(async () => undefined, undefined, { search: 1.01 })
    assert.equal(
      gates.filter(({ passed }) => !passed).map(({ name }) => name),
      ['search'],
    )
  })

  for (const position of [3, 200, 3000]) {
    test(`calls a generation corrupt whose ${FILES[kind]} has byte ${position} flipped`, async () => {
      const error = await raised(
        'corrupt',
        measure((copy) => flipByte(join(copy, file), position)),
      )
      assert.match(error.message, file)
    })
  }

  test(`calls a generation corrupt whose ${FILES[kind]} is cut off, missing or one too many`, async () => {
    const cut = await raised(
      'corrupt',
      measure((copy) => truncate(join(copy, file), 300)),
    )
    assert.match(cut.message, `${file}: has 300 bytes`)
    const missing = await raised(
      'corrupt',
      measure((copy) => rm(join(copy, file))),
    )
    assert.match(missing.message, `${file}: is missing`)
    const other = FILES[KINDS[1 - index]!]
    const more = await raised(
      'corrupt',
      measure((copy) => cp(join(copy, file), join(copy, 'clust_0', other))),
    )
    assert.match(more.message, `clust_0/${other}: is not in the manifest`)
  })
}

test('refuses codes of other rows, though every hash fits', async () => {
  const root = makeTempDir()
  await cp(worlds[0]!.root, root, { recursive: true })
  await forgeGeneration(root, { from: 'dg_1', to: 'dg_2' }, async (copy) => {
    const path = join(copy, 'clust_1/index.i8.npy')
    const bytes = await readFile(path)
    bytes.set(bytes.subarray(128).toReversed(), 128)
    await writeFile(path, bytes)
    return undefined
  })
  const store = createGenerationStore(root)
  const gates = await store.measure(await store.read('dg_2'), worlds[0]!.gateContext)
  const gate = gates.find(({ name }) => name === 'search')!
  assert.is(gate.passed, false)
  assert.is(gate.detail, 'worst: clust_1, exact-i8')
})

async function flipByte(path: string, position: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[position] = bytes[position]! ^ 1
  await writeFile(path, bytes)
}

test.run()
