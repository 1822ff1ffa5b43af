import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Declaration, listDeclared, listPlaces } from '../../lib/domain/declared-services.ts'
import type { Fleet } from '../../lib/domain/fleet.ts'
import {
  type Blueprint,
  extractionSpecs,
  gatewaySpec,
  groupSpec,
  indexSpec,
} from '../../lib/domain/plan-services.ts'
import type { ServiceSpec } from '../../lib/domain/service.ts'
import { healthy, refTo } from '../support/model-fleet.ts'
import { makeNode } from '../support/nodes.ts'

const NODES = ['n1', 'n2']
const BLUEPRINT: Blueprint = {
  strategy: 'side-by-side',
  gateway: { replicas: 1, port: 0, settings: {} },
  index: { replicas: 2, settings: {} },
  extractions: [{ fingerprint: 'sha256:model', template: { replicas: 1, settings: {} } }],
}
const WISH: Declaration = {
  blueprint: BLUEPRINT,
  served: refTo(8),
  companion: refTo(7),
  clusters: [0, 1],
  models: ['sha256:model', undefined],
  nodes: NODES,
}
const GATEWAY = gatewaySpec(BLUEPRINT, NODES, refTo(8))
const [EXTRACTION] = extractionSpecs(BLUEPRINT, NODES, [undefined]) as [ServiceSpec]

test('declares every service as the profile has it, with the generations that it holds', () => {
  const running = [0, 1].map((cluster) => indexSpec(BLUEPRINT, NODES, cluster, [refTo(7), refTo(8)]))
  assert.equal(listDeclared(makeFleet([...running, GATEWAY, EXTRACTION]), WISH), [
    EXTRACTION,
    ...running,
    GATEWAY,
  ])
})

test('declares a service of the generation beside the one in service, and none of older ones', () => {
  const former = indexSpec(BLUEPRINT, NODES, 5, [refTo(7)])
  const old = indexSpec(BLUEPRINT, NODES, 6, [refTo(3)])
  const names = listDeclared(makeFleet([former, old, GATEWAY]), WISH).map(({ name }) => name)
  assert.equal(names, [EXTRACTION.name, 'index_0', 'index_1', 'index_5', 'gateway'])
})

test('lets a missing service hold what is served', () => {
  const declared = listDeclared(makeFleet([GATEWAY]), WISH)
  assert.equal(
    declared.filter(({ kind }) => kind === 'index').map(({ generations }) => generations),
    [[refTo(8)], [refTo(8)]],
  )
})

test('leaves services in their groups, whatever strategy the profile has for the next update', () => {
  const fleet = makeFleet([])
  const places = { cluster: 0, group: 'a' } as const
  const running = [
    groupSpec(BLUEPRINT, ['n1'], places, refTo(7)),
    groupSpec(BLUEPRINT, ['n2'], { ...places, group: 'b' }, refTo(8)),
  ]
  const declared = listDeclared(
    { ...fleet, services: [...running, GATEWAY].map(healthy) },
    { ...WISH, clusters: [0] },
  )
  assert.equal(
    declared.filter(({ kind }) => kind === 'index'),
    running,
  )
})

test('places services where everything that is loaded lies, and where they are already', () => {
  const placed = gatewaySpec(BLUEPRINT, ['n2'], refTo(8))
  const index = indexSpec(BLUEPRINT, ['n2'], 0, [refTo(7), refTo(8)])
  const fleet = makeFleet([placed, index], { n1: [7, 8], n2: [], n3: [8], n4: [7, 8] })
  const nodes = fleet.nodes.map((node) => (node.name === 'n4' ? { ...node, reachable: false } : node))
  assert.equal(listPlaces({ ...fleet, nodes }, refTo(8)), ['n1', 'n2'])
})

function makeFleet(
  specs: readonly ServiceSpec[],
  held: Readonly<Record<string, readonly number[]>> = { n1: [7, 8], n2: [7, 8] },
): Fleet {
  return {
    nodes: Object.entries(held).map(([name, numbers]) => makeNode(name, numbers.map(refTo))),
    services: specs.map(healthy),
  }
}

test.run()
