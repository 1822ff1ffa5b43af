import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeRowGeneration, seedRows } from '../../../bench/delta/row-generation.ts'
import { explainDiskError } from '../../../lib/adapters/generations/disk-error.ts'
import { createGenerationStore } from '../../../lib/adapters/generations/store.ts'
import { makePatchBeside } from '../../../lib/adapters/relay/make-patch-beside.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import { countBytes, refOf } from '../../../lib/domain/manifest.ts'
import { flipByte, listAll } from '../../support/files.ts'
import { makeTempDir } from '../../support/temp.ts'
import { type RelaySystem, type SystemOptions, startRelaySystem } from './relay-system.ts'

const NODES = ['n1', 'n2']
const NEVER = new AbortController().signal
const ROWS = 1500

const systems: RelaySystem[] = []
test.after.each(async () => {
  for (const { transport } of systems.splice(0)) await transport.close()
})

/** Nodes that hold dg_1, and a dg_2 in whose rows every `nth` is another one. */
async function startWithBase(nth: number, options: SystemOptions = {}) {
  const root = makeTempDir()
  const make = (name: string, numbers: number[]) => {
    const half = numbers.length / 2
    const clusters = [seedRows(numbers.slice(0, half)), seedRows(numbers.slice(half))]
    const manifest = makeRowGeneration(root, { name, dimensions: 64, clusters })
    return { directory: join(root, name), manifest }
  }
  const numbers = Array.from({ length: ROWS }, (_, index) => index)
  const base = make('dg_1', numbers)
  const next = make(
    'dg_2',
    numbers.map((number) => (number % nth === nth - 1 ? number + ROWS : number)),
  )
  const system = startRelaySystem({
    generations: createGenerationStore(root),
    makePatch: makePatchBeside,
    ...options,
  })
  systems.push(system)
  await system.deliver(NODES, base)
  const route = { via: 'relay', base: refOf(base.manifest) } as const
  return { root, base, next, system, route, size: countBytes(next.manifest) }
}

type Results = Awaited<ReturnType<RelaySystem['deliver']>>
const startedBase = (system: RelaySystem) => system.transport.readManifest('n1', 'dg_1', NEVER)
const countSent = (results: Results) => [...results.values()].reduce((sum, { told }) => sum + told.sent, 0)

test('sends what differs from a generation that nodes hold, and they make the rest of it', async () => {
  const { root, next, system, route, size } = await startWithBase(20)
  const results = await system.deliver(NODES, next, { route })
  for (const node of NODES) {
    const { result, told } = results.get(node)!
    assert.is(result.status, 'fulfilled', String((result as PromiseRejectedResult).reason))
    assert.ok(told.arrived + told.saved >= size && told.saved > 0.8 * size)
    await system.transport.verify(node, next.manifest, NEVER)
    assert.equal(
      listAll(system.home(node)).filter((name) => name.includes('patch')),
      [],
    )
  }
  assert.ok(countSent(results) <= 0.15 * size, `${countSent(results) / size} of a copy left`)
  await system.transport.close()
  assert.equal(readdirSync(root).sort(), ['dg_1', 'dg_2'])
})

test('makes the shards that a node holds of those that it held, and sends rows whole that came from others', async () => {
  const { next, system, route, size } = await startWithBase(20)
  const clusters = { n3: [0], n4: [1] }
  const base = { directory: join(system.home('n1'), 'dg_1'), manifest: await startedBase(system) }
  await system.deliver(['n3', 'n4'], base, { clusters })
  const results = await system.deliver(['n3', 'n4'], next, { route, clusters })
  for (const node of ['n3', 'n4'] as const) {
    const { result, told } = results.get(node)!
    assert.is(result.status, 'fulfilled', String((result as PromiseRejectedResult).reason))
    assert.ok(told.saved > 0.3 * size, `${told.saved} of ${size} saved`)
    await system.transport.verify(node, next.manifest, NEVER, clusters[node])
  }
  assert.ok(countSent(results) <= 0.15 * size, `${countSent(results) / size} of a copy left`)
})

test('sends nothing of what is the same under another name, and starts no relay', async () => {
  const { next, system, route, size } = await startWithBase(ROWS * 2)
  for (const node of NODES) system.shell.bare.add(node)
  const results = await system.deliver(NODES, next, { route })
  for (const node of NODES) {
    await system.transport.verify(node, next.manifest, NEVER)
    assert.is(results.get(node)!.told.saved, size)
  }
  assert.is(countSent(results), 0)
  assert.equal(system.notes, [])
})

test('sends whole files where a node holds the base damaged, and says so', async () => {
  const { next, system, route } = await startWithBase(20)
  flipByte(join(system.home('n2'), 'dg_1', 'clust_1/vectors.npy'))
  await system.deliver(NODES, next, { route })
  for (const node of NODES) await system.transport.verify(node, next.manifest, NEVER)
  assert.ok(
    system.notes.some((note) => /^n2: .* sent whole/.test(note)),
    system.notes.join('\n'),
  )
})

test('makes a generation of the base that each node holds, where they hold different ones', async () => {
  const { root, base, next, system, route, size } = await startWithBase(20)
  const clusters = [seedRows(Array.from({ length: ROWS }, (_, index) => index))]
  const other = makeRowGeneration(root, { name: 'dg_3', dimensions: 64, clusters })
  await system.transport.remove('n2', base.manifest.generation, NEVER)
  await system.deliver(['n2'], { directory: join(root, 'dg_3'), manifest: other })
  const results = await Promise.all([
    system.deliver(['n1'], next, { route }),
    system.deliver(['n2'], next, { route: { via: 'relay', base: refOf(other) } }),
  ])
  for (const [index, node] of NODES.entries()) {
    await system.transport.verify(node, next.manifest, NEVER)
    assert.ok(countSent(results[index]!) <= 0.15 * size, `${node}: ${countSent(results[index]!) / size}`)
  }
  await system.transport.close()
  assert.equal(readdirSync(root).sort(), ['dg_1', 'dg_2', 'dg_3'])
})

test('sends whole files where nothing is the same', async () => {
  const { next, system, route, size } = await startWithBase(1)
  const results = await system.deliver(NODES, next, { route })
  for (const node of NODES) await system.transport.verify(node, next.manifest, NEVER)
  assert.ok([...results.values()].every(({ told }) => told.arrived === size && told.saved === 0))
})

test('sends whole files where the base is gone from this machine', async () => {
  const generations = {
    read: async (name: string): Promise<never> => {
      throw new LongshoreError('not-found', `there is no ${name}`)
    },
    locate: (name: string) => name,
  }
  const { next, system, route } = await startWithBase(20, { generations })
  await system.deliver(NODES, next, { route })
  for (const node of NODES) await system.transport.verify(node, next.manifest, NEVER)
})

test('sends whole files, and says so, where the patch cannot be written on this machine', async () => {
  for (const error of [
    Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }),
    explainDiskError(Object.assign(new Error('full'), { code: 'EDQUOT' })),
  ]) {
    const { next, system, route } = await startWithBase(20, {
      makePatch: async () => {
        throw error
      },
    })
    const results = await system.deliver(NODES, next, { route })
    for (const node of NODES) {
      assert.is(results.get(node)!.result.status, 'fulfilled')
      await system.transport.verify(node, next.manifest, NEVER)
    }
    assert.is(
      system.notes.filter((note) => note.includes('dg_1 cannot be written here')).length,
      NODES.length,
    )
  }
})

test('sends whole files, and says so, to a node without room for a patch besides', async () => {
  const { next, system, route } = await startWithBase(20, {
    freeBytes: (node) => (node === 'n1' ? 0 : 2 ** 40),
  })
  const results = await system.deliver(NODES, next, { route })
  for (const node of NODES) await system.transport.verify(node, next.manifest, NEVER)
  assert.equal(
    system.notes.map((note) => /^(n\d): it has no room for what differs from dg_1/.exec(note)?.[1]),
    ['n1'],
  )
  assert.is(results.get('n1')!.told.saved, 0)
  assert.ok(results.get('n2')!.told.saved > 0)
})

test('tells differences from another base for each node of one delivery', async () => {
  const { root, base, next, system } = await startWithBase(20)
  const { manifest } = next
  const numbers = Array.from({ length: ROWS }, (_, index) => (index % 20 === 1 ? index + 2 * ROWS : index))
  const clusters = [seedRows(numbers.slice(0, ROWS / 2)), seedRows(numbers.slice(ROWS / 2))]
  const third = makeRowGeneration(root, { name: 'dg_3', dimensions: 64, clusters })
  await system.deliver(['n2'], next)
  const target = { directory: join(root, 'dg_3'), manifest: third }
  const bases = { n1: refOf(base.manifest), n2: refOf(manifest) }
  const all = await Promise.all(
    Object.entries(bases).map(([node, ref]) => {
      return system.deliver([node], target, { route: { via: 'relay', base: ref } })
    }),
  )
  for (const [at, node] of Object.keys(bases).entries()) {
    const { result, told } = all[at]!.get(node)!
    assert.is(result.status, 'fulfilled', String((result as PromiseRejectedResult).reason))
    assert.ok(told.saved > 0.7 * countBytes(third), `${node}: ${told.saved} saved`)
    await system.transport.verify(node, third, NEVER)
  }
})

test.run()
