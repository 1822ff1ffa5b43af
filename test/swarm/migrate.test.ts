import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { startScript } from '../support/fleet.ts'
import { DIMENSIONS, readHardml, writeNumpy } from '../support/hardml.ts'
import { type Load, startLoad } from '../support/load.ts'
import { type LookupModel, startLookupModel } from '../support/lookup-model.ts'
import { writeTextModel } from '../support/onnx-model.ts'
import type { Question } from '../support/questions.ts'
import { makeTempDir } from '../support/temp.ts'
import { type Balancer, startBalancer } from './support/balancer.ts'
import { hasFailed, scenario } from './support/scenario.ts'
import { type SwarmFleet, startSwarmFleet } from './support/swarm-fleet.ts'

const COSINE = { version: '1', metric: 'cosine', normalized: true }
const USE = { ...COSINE, name: 'use', version: '4', dimensions: DIMENSIONS }
const LEXICAL = { ...COSINE, name: 'lexical-hash', dimensions: 64 }
const WORDS = { ...COSINE, name: 'words', dimensions: 32 }
/** The model of each generation, in the order in which they are made. */
const MODELS = new Map([
  ['dg_1', 'use@4'],
  ['dg_2', 'lexical-hash@1'],
  ['dg_3', 'words@1'],
])

let fleet: SwarmFleet
let use: LookupModel
let load: Load
let balancer: Balancer

test.before(async () => {
  fleet = await startSwarmFleet({ nodes: 2 })
  const sentences = await readHardml()
  use = await startLookupModel(sentences, fleet.lab.address)
  const words = [...new Set(sentences.flatMap(({ text }) => text.toLowerCase().match(/\w+|[^\w\s]+/g) ?? []))]
  const valueAt = (token: number, column: number) => Math.sin((token * 131 + column) * 12.9898) * 4
  const onnx = writeTextModel(makeTempDir(), { words, dimensions: WORDS.dimensions, valueAt, maxTokens: 512 })
  await fleet.configure({
    model: USE,
    extraction: { url: use.url },
    models: [LEXICAL, { ...WORDS, extraction: { onnx, replicas: 2 } }],
    gateway: { replicas: 1 },
    index: { replicas: 1 },
    swarm: { healthSeconds: 3 },
    // What is embedded on a GPU is a small part of the gallery.
    gates: { sizeChange: 1 },
  })
  await writeNumpy(fleet.path('gallery'), sentences)
})
test.after(async () => {
  await load?.stop()
  await balancer?.stop()
  await use?.stop()
  await fleet?.stop({ hasFailed: hasFailed() })
})

scenario('brings an image with the model of the profile to every node', async () => {
  const { socket } = fleet.lab.nodes[0]!
  const args = ['--from-scratch', '--profile', fleet.profile, '--yes', '--json']
  const env = { DOCKER_HOST: `unix://${socket}` }
  const { json } = await startScript('image', args, { cwd: fleet.directory, env }).ended
  assert.is(json.models?.length, 1, JSON.stringify(json))
  assert.is(
    await fleet.lab.docker('n2', 'image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', json.models[0]),
    json.models[0],
  )
})

scenario('serves the reference sentences under the model that they came with', async () => {
  await run('split-index', fleet.path('gallery'))
  await run('update-indices')
})

scenario('takes away the extraction service of a killed run, and asks for nothing twice', async () => {
  const killed = fleet.start('reembed', '--from', 'dg_1', '--model', 'words', '--generation', 'dg_9')
  await eventually(async () => assert.is((await listExtractions()).length, 1), 60_000)
  killed.kill('SIGKILL')
  await killed.ended
  assert.is((await listExtractions()).length, 1)
  const { embedding } = await run(
    'reembed',
    '--from',
    'dg_1',
    '--model',
    'words',
    '--generation',
    'dg_9',
    '--dry-run',
  )
  assert.is(embedding.items, 8000)
  // The next command, whichever it is.
  await run('update-indices', 'dg_1')
  assert.equal(await listExtractions(), [])
})

scenario('moves to the built-in model and on to an ONNX model under load, and back', async () => {
  const items = await readItems('dg_1')
  assert.is(items.length, 8000)
  balancer = startBalancer(
    fleet.lab.nodes.map(({ host }) => host),
    14005,
  )
  const { connect } = balancer
  const galleries = new Map([...MODELS.keys()].map((name) => [name, items]))
  load = startLoad('http://fleet', galleries, { clients: 4, perSecond: 40, connect, models: MODELS })
  const first = await run('migrate', '--model', 'lexical-hash', '--no-backup')
  assert.equal([first.former, first.generation], ['dg_1', 'dg_2'])
  const second = await run('migrate', '--model', 'words', '--from', 'dg_2', '--no-backup')
  assert.equal([second.generation, second.embedding.dead], ['dg_3', 0])
  assert.equal(await listServed(), ['dg_3'])
  await run('rollback')
  assert.equal(await listServed(), ['dg_2'])
  const { requests, failures, mixed, byGeneration } = await load.stop()
  assert.equal([failures, mixed], [[], []])
  assert.equal(Object.keys(byGeneration).sort(), [...MODELS.keys()])
  assert.ok(requests > 500, `${requests} requests`)
})

scenario('re-embeds nothing again, and leaves the service that queries need', async () => {
  const again = await run('reembed', '--from', 'dg_2', '--model', 'words')
  assert.equal([again.outcome, again.embedding.calls], ['nothing-to-do', 0])
  assert.is((await listExtractions()).length, 2)
})

scenario('embeds on the node that offers a GPU, by a service that it takes away again', async () => {
  await offerGpu('n2')
  const items = (await readItems('dg_1')).slice(0, 300)
  const texts = items.map(({ text }, at) => JSON.stringify({ text: `${text} ${items.at(-1 - at)!.text}` }))
  await writeFile(fleet.path('more.jsonl'), texts.join('\n'))
  const running = fleet.start('reembed', '--from', fleet.path('more.jsonl'), '--model', 'words')
  await eventually(async () => {
    const gpu = (await listExtractions()).find((line) => line.includes('_gpu'))
    assert.ok(gpu, 'no service on a GPU')
    const format = ['--filter', 'desired-state=running', '--format', '{{.Node}} {{.CurrentState}}']
    assert.match(await fleet.lab.docker('n1', 'service', 'ps', gpu.split(' ')[0]!, ...format), /^n2 Running/)
  }, 120_000)
  const { code, json, stderr } = await running.ended
  assert.is(code, 0, stderr)
  assert.equal([json.embedding.parity.device, json.embedding.parity.usual], ['gpu', 'cpu'])
  assert.not((await listExtractions()).some((line) => line.includes('_gpu')))
})

test.run()

/** Has a node offer a GPU, which need not be there: what computes on it takes the processor where it finds none. */
async function offerGpu(node: string): Promise<void> {
  const path = join(fleet.lab.locateRoot(node)!, 'etc/docker/daemon.json')
  const engine = JSON.parse(await readFile(path, 'utf8'))
  await writeFile(path, JSON.stringify({ ...engine, 'node-generic-resources': ['gpu=GPU-45cbf7b3'] }))
  await fleet.lab.fault.stop(node, 'dockerd')
  await fleet.lab.fault.start(node, 'dockerd')
  await eventually(async () => {
    const format = '{{json .Description.Resources}} {{.Status.State}}'
    assert.match(await fleet.lab.docker('n1', 'node', 'inspect', node, '--format', format), /GPU-45.*ready/)
  }, 60_000)
}

async function run(script: string, ...args: string[]) {
  const ended = await fleet.run(script, ...args)
  assert.is(ended.code, 0, `${script}: ${ended.stderr} ${ended.stdout}`)
  return ended.json
}

async function listExtractions(): Promise<string[]> {
  const format = ['--format', '{{.Name}} {{.Replicas}}']
  const names = await fleet.lab.docker('n1', 'service', 'ls', '--filter', 'name=lab_extraction', ...format)
  return names.split('\n').filter(Boolean)
}

async function listServed(): Promise<string[]> {
  return [...new Set(Object.values(await fleet.readServed('gateway')).flat())]
}

async function readItems(generation: string): Promise<Question[]> {
  const texts = await Promise.all(
    fleet.clusters.map((cluster) =>
      readFile(fleet.path('dgs', generation, `clust_${cluster}`, 'items.jsonl'), 'utf8'),
    ),
  )
  return texts.flatMap((text) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  )
}
