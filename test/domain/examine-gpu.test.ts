import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { examineGpus, examineNodeUpdates } from '../../lib/domain/examine-gpu.ts'
import { describeGpuService } from '../../lib/domain/gpu-services.ts'
import {
  type GpuService,
  parseEngineOffer,
  parseGpuNode,
  parseGpuService,
} from '../../lib/domain/gpu-settings.ts'
import { parseMakings } from '../../lib/domain/swarm-making.ts'

const UUID = 'GPU-45cbf7b3-f919-7228-7a26-b06628ebefa1'
const RUNTIME = 'swarm-resource = "DOCKER_RESOURCE_GPU"\n'

function node(resources: string[], runtime = RUNTIME, more: object = { 'default-runtime': 'nvidia' }) {
  const daemon = JSON.stringify({ 'node-generic-resources': resources, ...more })
  return parseGpuNode({ name: 'n1', daemon, runtime })
}

const reserve = (kind: string, value: unknown) => ({
  resources: { reservations: { generic_resources: [{ discrete_resource_spec: { kind, value } }] } },
})
const ENVIRONMENT = { NVIDIA_VISIBLE_DEVICES: 'all' }
const SOUND = parseGpuService('extraction', { deploy: reserve('gpu', 1), environment: ENVIRONMENT })
const withService = (change: Partial<GpuService>) =>
  examineGpus([node([`gpu=${UUID}`])], [{ ...SOUND, ...change }])

function assertOne(
  findings: ReturnType<typeof examineGpus>,
  state: string,
  detail: RegExp,
  hint: RegExp,
): void {
  assert.equal(
    findings.map((finding) => finding.state),
    [state],
    JSON.stringify(findings),
  )
  assert.match(findings[0]!.detail, detail)
  assert.match(findings[0]!.hint, hint)
}

test('finds nothing wrong where all agree, and says nothing where there are no GPUs', () => {
  assert.equal(
    withService({}).map(({ state }) => state),
    ['ok'],
  )
  assert.equal(
    examineGpus([node(['gpu=2'])], [SOUND]).map(({ state }) => state),
    ['ok'],
  )
  assert.equal(examineGpus([parseGpuNode({ name: 'n1', daemon: '', runtime: '' })], []), [])
  assert.equal(examineGpus([], [parseGpuService('index', { deploy: { replicas: 2 } })]), [])
})

test('finds swarm-resource left as a comment, or written where nobody reads it', () => {
  for (const runtime of [`#${RUNTIME}`, `[nvidia-container-cli]\n${RUNTIME}`]) {
    const findings = examineGpus([node([`gpu=${UUID}`], runtime)], [])
    assertOne(findings, 'fail', /n1: swarm-resource is not set/, /swarm-resource = "DOCKER_RESOURCE_GPU"/)
  }
})

test('finds a kind that the runtime does not read, unless both are listed', () => {
  const findings = examineGpus([node([`NVIDIA-GPU=${UUID}`])], [])
  assertOne(findings, 'fail', /DOCKER_RESOURCE_NVIDIA-GPU.*see all GPUs/, /name the kind gpu/)
  const both = 'swarm-resource = "DOCKER_RESOURCE_GPU,DOCKER_RESOURCE_NVIDIA-GPU"'
  assert.equal(
    examineGpus([node([`NVIDIA-GPU=${UUID}`], both)], []).map(({ state }) => state),
    ['ok'],
  )
})

test('finds a number of none that was meant as the first GPU', () => {
  assertOne(examineGpus([node(['gpu=0'])], []), 'fail', /gpu=0 is a number of GPUs, none/, /UUID/)
})

test('finds a list of numbers, which the engine refuses', () => {
  const findings = examineGpus([node(['gpu=0', 'gpu=1'])], [])
  assertOne(findings, 'fail', /no list of numbers: gpu=0, gpu=1/, /UUID/)
})

test('finds a runtime that is not the default one', () => {
  const findings = examineGpus([node([`gpu=${UUID}`], RUNTIME, {})], [])
  assertOne(findings, 'fail', /not the default one/, /default-runtime/)
})

test('takes the word of the engine for what it offers, and finds what it has not read yet', () => {
  const offer = (values: readonly string[]) => ({
    resources: [{ kind: 'gpu', values }],
    defaultRuntime: 'nvidia',
  })
  const daemon = JSON.stringify({ 'node-generic-resources': [`gpu=${UUID}`] })
  const read = (values: readonly string[], text = daemon) =>
    examineGpus([parseGpuNode({ name: 'n1', daemon: text, runtime: RUNTIME }, offer(values))], [])
  assert.equal(
    [...read([UUID]), ...read([UUID], '')].map(({ state }) => state),
    ['ok', 'ok'],
  )
  assertOne(read(['GPU-of-old']), 'fail', /says gpu=GPU-45.*offers GPU-of-old/, /restart docker/)
  const GenericResources = [{ DiscreteResourceSpec: { Kind: 'gpu', Value: 2 } }]
  const stdout = JSON.stringify({ GenericResources, DefaultRuntime: 'nvidia' })
  assert.equal(parseEngineOffer({ code: 0, stdout }), offer(['2']))
  assert.is(parseEngineOffer({ code: 1, stdout: '' }), null)
})

test('reads of a running service what the Swarm was asked for, a zero included, which the engine does not print', () => {
  const Reservations = { GenericResources: [{ DiscreteResourceSpec: { Kind: 'gpu' } }] }
  const template = {
    Resources: { Reservations },
    ContainerSpec: { Image: 'x', Env: ['NVIDIA_VISIBLE_DEVICES=all'] },
  }
  const [making] = parseMakings(
    JSON.stringify([{ ID: 's', Spec: { Name: 'extraction', TaskTemplate: template, Mode: {} } }]),
  )
  const service = describeGpuService(making!)
  assert.equal([service.resources, service.order, service.visibleDevices], [['gpu=0'], 'stop-first', 'all'])
  assertOne(examineGpus([], [service]), 'fail', /reserves none/, /gpu=1/)
})

test('warns that a service with a GPU is restarted by each delivery, and of no other one', () => {
  const findings = examineNodeUpdates([SOUND, parseGpuService('index', { deploy: { replicas: 2 } })])
  assertOne(findings, 'warn', /extraction: .*whenever a label of their node changes/, /device: cpu/)
})

test('finds a service that asks for none, which may get all', () => {
  assertOne(withService({ resources: ['gpu=0'] }), 'fail', /reserves none .* takes all/, /gpu=1/)
})

test('finds a service that asks for a GPU by its name', () => {
  assertOne(withService({ resources: [`gpu=${UUID}`] }), 'fail', /only ask for a number/, /gpu=1/)
})

test('finds forms of a stack file that a Swarm does not take', () => {
  const devices = { resources: { reservations: { devices: [{ capabilities: ['gpu'] }] } } }
  for (const definition of [{ deploy: devices }, { gpus: 'all' }]) {
    const service = parseGpuService('extraction', { ...definition, environment: ENVIRONMENT })
    assertOne(
      examineGpus([], [service]),
      'fail',
      /neither gpus nor reservations\.devices/,
      /generic_resources/,
    )
  }
})

test('finds tasks that wait for a GPU which the former one holds', () => {
  const definition = {
    deploy: { ...reserve('gpu', 1), update_config: { order: 'start-first' } },
    environment: ENVIRONMENT,
  }
  const findings = examineGpus([], [parseGpuService('extraction', definition)])
  assertOne(findings, 'fail', /start-first/, /stop-first/)
})

test('finds a service that gets no GPU for want of NVIDIA_VISIBLE_DEVICES, which its image may set', () => {
  const definition = { deploy: reserve('gpu', 1) }
  const findings = examineGpus([], [parseGpuService('extraction', definition)])
  assertOne(findings, 'fail', /without NVIDIA_VISIBLE_DEVICES/, /all/)
  const listed = { ...definition, environment: ['NVIDIA_VISIBLE_DEVICES=all'] }
  for (const service of [
    parseGpuService('extraction', definition, ENVIRONMENT),
    parseGpuService('extraction', listed),
  ]) {
    assert.equal(
      examineGpus([], [service]).map(({ state }) => state),
      ['ok'],
    )
  }
})

test('warns of services placed by a label, which may share a card', () => {
  const definition = {
    deploy: { placement: { constraints: ['node.labels.gpu==true'] } },
    environment: ENVIRONMENT,
  }
  const findings = examineGpus([], [parseGpuService('extraction', definition)])
  assertOne(findings, 'warn', /placed by a label/, /share a card/)
  const reserved = withService({ constraints: ['node.labels.gpu == true'] })
  assert.equal(
    reserved.map(({ state }) => state),
    ['ok'],
  )
})

test.run()
