import { test } from 'uvu'
import { makeManifest, QUANTISED_CLUSTERS } from '../support/fakes/manifest.ts'
import { FakeTransport } from '../support/fakes/transport.ts'
import { describeTransport } from './transport.ts'

describeTransport('the fake transport', async () => {
  const transport = new FakeTransport(['node-1', 'node-2'])
  return {
    transport,
    nodes: ['node-1', 'node-2'],
    source: { directory: '/fake/dgs/dg_1', manifest: makeManifest('dg_1', { clusters: QUANTISED_CLUSTERS }) },
    namesake: { directory: '/fake/others/dg_1', manifest: makeManifest('dg_1', {}, 'other') },
    damageHeld: async (node, generation, path) => {
      transport.node(node).held.get(generation)?.damaged.add(path)
    },
    damageSource: async ({ directory }, path) => {
      transport.damagedSources.add(`${directory}/${path}`)
    },
    fill: async (node) => {
      transport.node(node).freeBytes = 10
    },
    cut: async (node) => {
      transport.node(node).reachable = false
    },
    hasTraces: async (node, generation) => {
      const { held, partial } = transport.node(node)
      return held.has(generation) || [...partial.keys()].some((key) => key.startsWith(`${generation}@`))
    },
  }
})

test.run()
