import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { examineGpus } from '../../lib/domain/examine-gpu.ts'
import { parseGpuService } from '../../lib/domain/gpu-settings.ts'
import type { ServiceSpec } from '../../lib/domain/service.ts'
import { parseFleetName } from '../../lib/domain/swarm-names.ts'
import { renderService, renderStack, type SwarmSettings } from '../../lib/domain/swarm-stack.ts'

const SETTINGS: SwarmSettings = {
  fleet: 'demo',
  image: 'registry:5000/longshore@sha256:1',
  dataDirectory: '/var/lib/longshore',
  publish: 'ingress',
  entry: 'services/main.ts',
  healthSeconds: 1,
  lameDuckSeconds: 2,
  graceSeconds: 12,
  monitorSeconds: 5,
}
const INDEX: ServiceSpec = {
  name: 'index_3',
  kind: 'index',
  cluster: 3,
  replicas: 2,
  nodes: ['n1', 'n2'],
  generations: [
    { name: 'dg_7', digest: `sha256:${'7'.repeat(64)}` },
    { name: 'dg_8', digest: `sha256:${'8'.repeat(64)}` },
  ],
  settings: {},
}
const { cluster: _none, ...REST } = INDEX
const GATEWAY: ServiceSpec = { ...REST, name: 'gateway', kind: 'gateway', port: 14005 }
const EXTRACTION: ServiceSpec = { ...REST, name: 'extraction', kind: 'extraction', generations: [] }

test('a task goes only where every generation of its service lies whole, and to no excluded node', () => {
  const { placement } = deployOf(INDEX, { excluded: ['n9', 'n4'] }) as { placement: unknown }
  assert.equal(placement, {
    constraints: [
      'node.labels.longshore.demo.node==member',
      'node.labels.longshore.demo.dg_7==7777777777777777',
      'node.labels.longshore.demo.dg_8==8888888888888888',
      'node.hostname!=n4',
      'node.hostname!=n9',
    ],
  })
})

test('where shards are spread a task goes only where its own shard lies, and a gateway where what it reads does', () => {
  const gatesOf = (spec: ServiceSpec) => {
    const { placement } = deployOf({ ...spec, isSpread: true }) as { placement: { constraints: string[] } }
    return placement.constraints.slice(1)
  }
  assert.equal(gatesOf(INDEX), [
    `node.labels.longshore.demo.dg_7.clust_${INDEX.cluster}==7777777777777777`,
    `node.labels.longshore.demo.dg_8.clust_${INDEX.cluster}==8888888888888888`,
  ])
  assert.equal(gatesOf(GATEWAY), [
    'node.labels.longshore.demo.dg_7.common==7777777777777777',
    'node.labels.longshore.demo.dg_8.common==8888888888888888',
  ])
})

test('a task reads its node’s generations and can change nothing', () => {
  const service = make(INDEX)
  assert.is(service.read_only, true)
  assert.equal(service.cap_drop, ['ALL'])
  assert.equal((service.volumes as unknown[])[0], {
    type: 'bind',
    source: '/var/lib/longshore',
    target: '/data',
    read_only: true,
  })
  assert.is((make(EXTRACTION).volumes as unknown[]).length, 1)
})

test('a service is changed one task at a time, beside the old one, and taken back when one fails', () => {
  const { update_config: update } = deployOf(INDEX) as { update_config: Record<string, unknown> }
  assert.is(update.order, 'start-first')
  assert.is(update.failure_action, 'rollback')
  assert.is(update.max_failure_ratio, 0)
  assert.is(update.parallelism, 1)
})

test('gateways move together, so that going back is quick, unless each has to leave its port to the next', () => {
  const parallelismOf = (spec: ServiceSpec) =>
    (deployOf(spec) as Record<string, { parallelism: number }>).update_config?.parallelism
  assert.is(parallelismOf(GATEWAY), 0)
  assert.is(parallelismOf({ ...GATEWAY, order: 'stop-first' }), 1)
})

test('a service whose tasks have to end first is changed that way, back and forth', () => {
  const deploy = deployOf({ ...INDEX, order: 'stop-first' }) as Record<string, { order: string }>
  assert.is(deploy.update_config?.order, 'stop-first')
  assert.is(deploy.rollback_config?.order, 'stop-first')
})

test('a task that loads is not taken for ill, and one whose health is bad never serves', () => {
  assert.equal(make(INDEX, { loadSeconds: 60 }).healthcheck, {
    test: ['CMD', 'node', 'services/ask.mjs', '/readyz'],
    interval: '1000ms',
    timeout: '5s',
    retries: 3,
    start_period: '60000ms',
  })
})

test('a port of the routing mesh needs the virtual address; all else is found task by task', () => {
  assert.is((deployOf(GATEWAY) as { endpoint_mode: string }).endpoint_mode, 'vip')
  assert.is((deployOf(INDEX) as { endpoint_mode: string }).endpoint_mode, 'dnsrr')
  assert.equal(make(GATEWAY).ports, [{ target: 14005, published: 14005, protocol: 'tcp', mode: 'ingress' }])
  assert.is(make({ ...GATEWAY, port: 0 }).ports, undefined)
})

test('a port of the nodes themselves is never waited for by a task that cannot have it', () => {
  const orderOf = (nodes: string[]) => {
    const spec = { ...GATEWAY, nodes }
    const { deploy } = make(spec, { settings: { ...SETTINGS, publish: 'host' } })
    return (deploy as { update_config: { order: string } }).update_config.order
  }
  assert.is(orderOf(['n1', 'n2']), 'stop-first')
  assert.is(orderOf(['n1', 'n2', 'n3']), 'start-first')
})

test('a gateway is told where to look for tasks, a task who it is', () => {
  const { environment } = make(GATEWAY) as { environment: Record<string, string> }
  assert.is(environment.ENDPOINTS_DNS, 'tasks.demo_')
  assert.is(environment.HOST, '0.0.0.0')
  assert.is(environment.TASK_ID, 'gateway.{{.Task.Slot}}.{{.Task.ID}}')
  assert.is(environment.GENERATIONS, INDEX.generations.map(({ name, digest }) => `${name}@${digest}`).join())
})

test('a task on a GPU reserves one, is told to the runtime, and waits until the former one gives it back', () => {
  const limits = { memory: '2G' }
  const settings = { ...SETTINGS, resources: { extraction: { limits, reservations: { cpus: '1' } } } }
  const made = renderService({ ...EXTRACTION, isOnGpu: true }, { settings, excluded: [], loadSeconds: 60 })
  const { resources, update_config: update } = made.deploy as Record<string, { order?: string }>
  const gpus = [{ discrete_resource_spec: { kind: 'gpu', value: 1 } }]
  assert.equal(resources, { limits, reservations: { cpus: '1', generic_resources: gpus } })
  assert.is(update?.order, 'stop-first')
  const { NVIDIA_VISIBLE_DEVICES } = made.environment as Record<string, string>
  assert.is(NVIDIA_VISIBLE_DEVICES, 'all')
  const asked = parseGpuService('extraction', made)
  assert.equal(
    examineGpus([], [asked]).map(({ state }) => state),
    ['ok'],
  )
})

test('a service apart is in the network that every engine has, and no other service is', () => {
  const networksOf = (spec: ServiceSpec) => {
    const made = renderService(spec, { settings: SETTINGS, excluded: [], loadSeconds: 60 })
    const stack = JSON.parse(renderStack(spec, made, { fleet: SETTINGS.fleet, fence: 1 }))
    return [Object.keys(made.networks as object), stack.networks.apart]
  }
  assert.equal(networksOf({ ...EXTRACTION, isApart: true }), [['apart'], { external: true, name: 'bridge' }])
  assert.equal(networksOf(EXTRACTION), [['fleet'], undefined])
})

test('a spec may name its own image', () => {
  const service = make({ ...INDEX, settings: { IMAGE: 'longshore:2' } })
  assert.is(service.image, 'longshore:2')
  assert.not('IMAGE' in (service.environment as object))
})

test('settings arrive as they are, whatever docker would make of them', () => {
  const spec = { ...INDEX, settings: { MODEL: '{"name":"$HOME {{.Node.ID}}"}' } }
  const stack = JSON.parse(renderStack(spec, make(spec), { fleet: 'demo', fence: 7 }))
  assert.is(stack.services.index_3.environment.MODEL, '{"name":"$$HOME {{"{{"}}.Node.ID}}"}')
})

test('a service carries its spec, how it was made and the fence, where changing them restarts nothing', () => {
  const stack = JSON.parse(renderStack(INDEX, make(INDEX), { fleet: 'demo', fence: 7 }))
  const { labels } = stack.services.index_3.deploy
  assert.equal(JSON.parse(labels['longshore.spec']), INDEX)
  assert.equal(JSON.parse(labels['longshore.made']), JSON.parse(JSON.stringify(make(INDEX))))
  assert.is(labels['longshore.fence'], '7')
  assert.is(stack.services.index_3.labels, undefined)
})

test('the same spec always makes the same bytes', () => {
  const reversed = Object.fromEntries(Object.entries(INDEX).reverse()) as ServiceSpec
  const render = (spec: ServiceSpec) => renderStack(spec, make(spec), { fleet: 'demo', fence: 7 })
  assert.is(render(reversed), render(INDEX))
})

test('a profile whose name no Swarm can use is refused', () => {
  assert.is(parseFleetName('north-1'), 'north-1')
  for (const name of ['north.1', '-a', 'a_', 'x'.repeat(33)]) {
    assert.throws(() => parseFleetName(name), /name: ".*" cannot name services/)
  }
})

type Extra = { settings?: SwarmSettings; excluded?: string[]; loadSeconds?: number }

function make(spec: ServiceSpec, { settings = SETTINGS, excluded = [], loadSeconds = 60 }: Extra = {}) {
  return renderService(spec, { settings, excluded, loadSeconds })
}

function deployOf(spec: ServiceSpec, extra: Extra = {}): unknown {
  return make(spec, extra).deploy
}

test.run()
