import { appendFile, cp, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGenerationStore } from '../../../lib/adapters/generations/store.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { GateName, GateResult } from '../../../lib/domain/quality.ts'
import { split } from '../../../lib/flows/split.ts'
import type { GateContext } from '../../../lib/ports/generation-store.ts'
import { editVectors, forgeGeneration } from '../../support/damage.ts'
import { raised } from '../../support/raised.ts'
import { DIMENSIONS, makeInput, makeRows, makeSplitContext } from '../../support/split.ts'
import { makeTempDir } from '../../support/temp.ts'

const sound = makeTempDir()
const world = makeSplitContext(sound, makeInput(makeRows(240)))

test.before(() => split(world.context, { path: 'rows' }).then(() => undefined))

/** Measures a copy of the sound generation after `spoil` had its way with it. */
async function measureSpoiled(
  spoil: (copy: string) => Promise<unknown>,
  context: Partial<GateContext> = {},
): Promise<GateResult[]> {
  const root = makeTempDir()
  await cp(sound, root, { recursive: true })
  await spoil(join(root, 'dg_1'))
  const store = createGenerationStore(root)
  return store.measure(await store.read('dg_1'), { ...world.gateContext, ...context })
}

/** As `measureSpoiled`, but the manifest is made to fit the spoiled files. */
async function measureForged(spoil: (copy: string) => Promise<unknown>): Promise<GateResult[]> {
  const root = makeTempDir()
  await cp(sound, root, { recursive: true })
  await forgeGeneration(root, { from: 'dg_1', to: 'dg_2' }, async (copy) => {
    await spoil(copy)
    return undefined
  })
  const store = createGenerationStore(root)
  return store.measure(await store.read('dg_2'), world.gateContext)
}

function gateOf(gates: readonly GateResult[], name: GateName): GateResult {
  return gates.find((gate) => gate.name === name)!
}

const failedOf = (gates: readonly GateResult[]) =>
  gates.filter(({ passed }) => !passed).map(({ name }) => name)

test('measures of a sound generation what was measured when it was split', async () => {
  const gates = await measureSpoiled(async () => undefined)
  assert.equal(
    gates.map(({ name, measured, passed }) => ({ name, measured, passed })),
    world.gates.map(({ name, measured, passed }) => ({ name, measured, passed })),
  )
})

const corruptions: Record<string, [(copy: string) => Promise<unknown>, RegExp]> = {
  'a flipped byte in vectors': [
    (copy) => flipByte(`${copy}/clust_1/vectors.npy`, 777),
    /clust_1\/vectors\.npy: SHA-256 is .* the manifest says/,
  ],
  'a flipped byte in centroids': [
    (copy) => flipByte(`${copy}/centroids.npy`, 200),
    /centroids\.npy: SHA-256/,
  ],
  'truncated vectors': [
    (copy) => truncate(`${copy}/clust_0/vectors.npy`, 500),
    /clust_0\/vectors\.npy: has 500 bytes/,
  ],
  'a missing shard': [(copy) => rm(`${copy}/clust_2`, { recursive: true }), /clust_2\/.*: is missing/],
  'a file that is not in the manifest': [
    (copy) => writeFile(`${copy}/clust_0/more`, ''),
    /more: is not in the manifest/,
  ],
  'items that grew': [
    (copy) => appendFile(`${copy}/clust_0/items.jsonl`, '{"id":"z"}\n'),
    /items\.jsonl: has/,
  ],
  'a symbolic link to a file': [
    async (copy) => {
      await rename(`${copy}/clust_0/items.idx`, `${copy}.idx`)
      await symlink(`${copy}.idx`, `${copy}/clust_0/items.idx`)
    },
    /items\.idx: is no plain file/,
  ],
  'a symbolic link to a directory': [
    async (copy) => {
      await rename(`${copy}/clust_0`, `${copy}.clust_0`)
      await symlink(`${copy}.clust_0`, `${copy}/clust_0`)
    },
    /clust_0: is no plain file/,
  ],
}
for (const [what, [spoil, message]] of Object.entries(corruptions)) {
  test(`calls a generation with ${what} corrupt, naming the file`, async () => {
    const error = await raised('corrupt', measureSpoiled(spoil))
    assert.match(error.message, message)
  })
}

test('calls offsets that point into lines corrupt, though every hash fits', async () => {
  const spoil = async (copy: string) => {
    const path = `${copy}/clust_0/items.idx`
    const bytes = await readFile(path)
    bytes[16] = bytes[16]! + 1
    await writeFile(path, bytes)
  }
  assert.match((await raised('corrupt', measureForged(spoil))).message, /items\.jsonl:3: starts at byte/)
})

test('calls vectors of another shape corrupt, though every hash fits', async () => {
  const spoil = async (copy: string) => {
    const path = `${copy}/clust_0/vectors.npy`
    const bytes = await readFile(path, 'latin1')
    await writeFile(path, bytes.replace(`, ${DIMENSIONS})`, `, ${DIMENSIONS / 2})`), 'latin1')
  }
  assert.match((await raised('corrupt', measureForged(spoil))).message, /clust_0\/vectors\.npy: holds <f4/)
})

test('refuses rows that are not numbers, naming the first', async () => {
  const gates = await measureForged((copy) =>
    editVectors(`${copy}/clust_2/vectors.npy`, (values) =>
      values.fill(Number.NaN, 5 * DIMENSIONS, 7 * DIMENSIONS),
    ),
  )
  const gate = gateOf(gates, 'finiteValues')
  assert.equal([gate.measured, gate.detail], [2, 'first in clust_2, row 5'])
})

test('refuses rows that have not unit length where the model promises it', async () => {
  const gates = await measureForged((copy) =>
    editVectors(`${copy}/clust_1/vectors.npy`, (values) => {
      for (let at = 3 * DIMENSIONS; at < 4 * DIMENSIONS; at++) values[at]! *= 1.1
    }),
  )
  const gate = gateOf(gates, 'norms')
  assert.ok(Math.abs(gate.measured - 0.1) < 1e-6)
  assert.is(gate.detail, 'worst in clust_1, row 3')
})

test('refuses swapped centroids by self-routing, naming the worst shard', async () => {
  const gates = await measureForged((copy) =>
    editVectors(`${copy}/centroids.npy`, (values) => {
      const first = values.slice(0, DIMENSIONS)
      values.copyWithin(0, DIMENSIONS, 2 * DIMENSIONS)
      values.set(first, DIMENSIONS)
    }),
  )
  assert.is(gateOf(gates, 'selfRouting').measured, 0.5)
  assert.match(gateOf(gates, 'selfRouting').detail ?? '', 'worst: clust_0 0.0 %')
})

test('refuses items that are out of step with their vectors', async () => {
  const gates = await measureForged((copy) =>
    editVectors(`${copy}/clust_0/vectors.npy`, (values) => {
      const first = values.slice(0, DIMENSIONS)
      values.copyWithin(0, DIMENSIONS)
      values.set(first, values.length - DIMENSIONS)
    }),
  )
  assert.equal(failedOf(gates), ['golden'])
})

test('refuses repeated ids', async () => {
  const gates = await measureForged(async (copy) => {
    const [from, to] = [`${copy}/clust_0/items.jsonl`, `${copy}/clust_1/items.jsonl`]
    const [first = ''] = (await readFile(from, 'utf8')).split('\n')
    const lines = (await readFile(to, 'utf8')).split('\n')
    const same = lines.findIndex((line) => Buffer.byteLength(line) === Buffer.byteLength(first))
    await writeFile(to, lines.with(same, first).join('\n'))
  })
  assert.is(gateOf(gates, 'uniqueIds').measured, 1)
})

test('refuses another model, whether by identity or by what it makes of the same texts', async () => {
  const { model } = world.gateContext
  const other = await measureSpoiled(async () => undefined, { model: { ...model, version: '2' } })
  assert.match(gateOf(other, 'model').detail ?? '', 'its version is 1')
  assert.is(gateOf(other, 'model').passed, false)

  const embedder = {
    embed: async (texts: readonly string[]) => new Float32Array(texts.length * DIMENSIONS).fill(0.25),
  }
  const foreign = await measureSpoiled(async () => undefined, { embedder })
  assert.is(gateOf(foreign, 'model').passed, false)
  assert.match(gateOf(foreign, 'model').detail ?? '', '32 texts')
})

test('raises what an embedder raises that answers wrongly, and passes on identity when none answers', async () => {
  const { UnreachableError } = await import('../../../lib/adapters/http/unreachable.ts')
  const failing = (error: Error) =>
    measureSpoiled(async () => undefined, { embedder: { embed: () => Promise.reject(error) } })
  await raised('remote', failing(new LongshoreError('remote', 'answered with 3 dimensions')))
  const gates = await failing(new UnreachableError('cannot reach it'))
  assert.equal(failedOf(gates), [])
  assert.match(gateOf(gates, 'model').detail ?? '', /nothing was re-embedded: cannot reach it/)
})

test('stops when the operator interrupts', async () => {
  const signal = AbortSignal.abort(new LongshoreError('interrupted', 'interrupted'))
  await raised(
    'interrupted',
    measureSpoiled(async () => undefined, { signal }),
  )
})

test('lists generations by number, and tells of one that is not there or is another one', async () => {
  const root = makeTempDir()
  for (const name of ['dg_10', 'dg_9', 'dg_x', '.dg_11.partial-1-1']) await mkdir(join(root, name))
  const store = createGenerationStore(root)
  assert.equal(await store.list(), ['dg_9', 'dg_10'])
  await raised('not-found', store.read('dg_9'))
  await rm(join(root, 'dg_9'), { recursive: true })
  await cp(join(sound, 'dg_1'), join(root, 'dg_9'), { recursive: true })
  await raised('corrupt', store.read('dg_9'))
  assert.match(await store.fingerprint('dg_9'), /^sha256:[0-9a-f]{64}$/)
  assert.equal(await createGenerationStore(join(root, 'none')).list(), [])
})

async function flipByte(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at] = bytes[at]! ^ 1
  await writeFile(path, bytes)
}

test.run()
