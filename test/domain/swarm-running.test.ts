import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findDifferences } from '../../lib/domain/content-difference.ts'
import { parseServices } from '../../lib/domain/swarm-inspect.ts'
import { describeRunning, type RawRunning } from '../../lib/domain/swarm-running.ts'
import type { StackService } from '../../lib/domain/swarm-stack.ts'
import { ROOT } from '../support/shared.ts'

const RESOURCES = {
  limits: { cpus: '0.50', memory: '512M' },
  reservations: { memory: '1g' },
}
const RUNNING_RESOURCES = {
  Limits: { NanoCPUs: 500_000_000, MemoryBytes: 512 * 1024 ** 2 },
  Reservations: { MemoryBytes: 1024 ** 3 },
}

test('a service that nobody touched runs as it was made', () => {
  const { made, raw } = read()
  assert.equal(findDifferences(made, describeRunning(made, raw)), [])
})

test('what was changed by hand is told: copies, image, environment, placement', () => {
  const { made, raw } = read()
  const { TaskTemplate } = raw
  const changed: RawRunning = {
    Mode: { Replicated: { Replicas: 5 } },
    TaskTemplate: {
      ...TaskTemplate,
      ContainerSpec: {
        ...TaskTemplate.ContainerSpec,
        Image: 'longshore:2',
        Env: TaskTemplate.ContainerSpec!.Env!.map((line) =>
          line.startsWith('CLUSTER=') ? 'CLUSTER=a=b' : line,
        ),
      },
      Placement: { Constraints: TaskTemplate.Placement!.Constraints!.slice(1) },
    },
  }
  assert.equal(findDifferences(made, describeRunning(made, changed)), [
    { path: 'deploy.placement.constraints', from: 'node.labels.longshore.demo.node==member', to: undefined },
    { path: 'deploy.replicas', from: 2, to: 5 },
    { path: 'environment.CLUSTER', from: '0', to: 'a=b' },
    { path: 'image', from: 'longshore/stub:1', to: 'longshore:2' },
  ])
})

test('a health check that was changed or taken away by hand is told', () => {
  const { made, raw } = read()
  const { TaskTemplate } = raw
  const { Healthcheck, ...ContainerSpec } = TaskTemplate.ContainerSpec!
  const describe = (check: typeof Healthcheck) => {
    const changed = { ...ContainerSpec, ...(check && { Healthcheck: check }) }
    return describeRunning(made, { ...raw, TaskTemplate: { ...TaskTemplate, ContainerSpec: changed } })
  }
  assert.equal(findDifferences(made, describe({ ...Healthcheck, Retries: 9 })), [
    { path: 'healthcheck.retries', from: 3, to: 9 },
  ])
  assert.equal(describe({ Test: ['NONE'] }).healthcheck, { test: ['NONE'] })
  assert.equal(describe(undefined).healthcheck, { test: [] })
})

test('amounts that are the same stay as the profile wrote them', () => {
  const { made, raw } = withResources(RESOURCES, RUNNING_RESOURCES)
  assert.equal(findDifferences(made, describeRunning(made, raw)), [])
})

test('amounts that were changed or taken away by hand are told', () => {
  const more = withResources(RESOURCES, { ...RUNNING_RESOURCES, Limits: { MemoryBytes: 2 * 1024 ** 3 } })
  const paths = findDifferences(more.made, describeRunning(more.made, more.raw)).map(({ path }) => path)
  assert.ok(paths.includes('deploy.resources.limits.cpus'), paths.join())
  assert.ok(paths.includes('deploy.resources.limits.memory'), paths.join())
  const none = withResources(RESOURCES, {})
  assert.equal(findDifferences(none.made, describeRunning(none.made, none.raw)), [
    { path: 'deploy.resources', from: RESOURCES, to: undefined },
  ])
})

test('the number of copies in a spec is the one that runs', () => {
  const text = readFileSync(`${ROOT}test/adapters/swarm/recorded/running.json`, 'utf8')
  const { service } = JSON.parse(text)
  service[0].Spec.Mode.Replicated.Replicas = 7
  const [scaled] = parseServices(JSON.stringify(service))
  assert.is(scaled?.spec.replicas, 7)
  const { made, content } = scaled!
  assert.equal(findDifferences(made!, content!), [{ path: 'deploy.replicas', from: 2, to: 7 }])
})

/** A service as a real engine printed it, and what it was made of. */
function read(): { made: StackService; raw: RawRunning } {
  const text = readFileSync(`${ROOT}test/adapters/swarm/recorded/running.json`, 'utf8')
  const [{ Spec }] = JSON.parse(text).service
  return { made: JSON.parse(Spec.Labels['longshore.made']), raw: Spec }
}

function withResources(resources: object, Resources: NonNullable<RawRunning['TaskTemplate']['Resources']>) {
  const { made, raw } = read()
  const deploy = { ...(made.deploy as StackService), resources: resources as StackService }
  return { made: { ...made, deploy }, raw: { ...raw, TaskTemplate: { ...raw.TaskTemplate, Resources } } }
}

test.run()
