import { existsSync } from 'node:fs'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDockerImages } from '../../lib/adapters/docker/images.ts'
import { createSshShell } from '../../lib/adapters/ssh/shell.ts'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { extractionServiceName } from '../../lib/domain/service.ts'
import { image as makeImage } from '../../lib/flows/image.ts'
import { eventually } from '../support/eventually.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { makeGeneration } from '../support/generation.ts'
import { writeTextModel } from '../support/onnx-model.ts'
import { renderRefs } from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'
import { type Lab, startLab } from './lab/lab.ts'
import { run } from './lab/quiet.ts'
import { makeState } from './lab/state.ts'
import { startRegistry } from './support/registry.ts'

const STATE = makeState()
const GATES = { CANARY_RECALL: '0.9', CANARY_GOLDEN: '0.9', CANARY_MODEL: '0.9' }
const PORTS = { extraction: 8501, index: 14000, gateway: 14005 } as const
type Kind = keyof typeof PORTS

let lab: Lab
let image: string
let manifest: Manifest
let hasFailed = true

test.before(async () => {
  lab = await startLab({ state: STATE, nodes: 2 })
  const directory = makeTempDir()
  manifest = await makeGeneration(directory, { clusters: 1 })
  const endpoints = {
    index_0: [`http://127.0.0.1:${PORTS.index}`],
    [extractionServiceName(manifest.model)]: [`http://127.0.0.1:${PORTS.extraction}`],
  }
  await writeFile(join(directory, 'endpoints.json'), JSON.stringify(endpoints))
  await run`chmod -R a+rX ${directory}`
  await run`scp -q -r -F ${lab.sshConfig} ${directory}/. n2:/var/lib/longshore/`
})
test.after(async () => {
  if (existsSync(STATE)) await lab.stop({ hasFailed })
})

test('is built once and brought over SSH to the node that lacks it, under the name of its contents', async () => {
  const [first, second] = lab.nodes
  const shell = createSshShell({
    nodes: lab.nodes,
    identityFile: first!.key,
    knownHostsFile: first!.knownHosts,
    connectTimeoutMs: 5000,
    keepAliveMs: 5000,
  })
  const { profile, ...fleet } = new FakeFleet([]).context()
  const images = createDockerImages({ host: `unix://${first!.socket}` })
  const context = { ...fleet, profile: { ...profile, nodes: lab.nodes }, images, shell }
  try {
    const made = await makeImage(context, { source: { kind: 'machine' } })
    image = String(made.json.image)
    assert.match(image, /^longshore:[0-9a-f]{12}$/)
    assert.ok(await lab.docker(second!.name, 'image', 'ls', '--quiet', image))
    assert.is((await makeImage(context, { source: { kind: 'machine' } })).outcome, 'nothing-to-do')
  } finally {
    await shell.close()
  }
  assert.is.not(await images.identify({ kind: 'base', image: 'node:24-slim' }), image)
})

for (const kind of ['extraction', 'index', 'gateway'] as const) {
  test(`runs as ${kind}, by no mighty user and on a root file system that is only read`, async () => {
    await start(kind)
    assert.equal(JSON.parse(await ask(kind, '/healthz')), { alive: true })
    await eventually(
      async () => assert.equal(JSON.parse(await ask(kind, '/readyz')), { ready: true }),
      90_000,
    )
    assert.is(await lab.docker('n2', 'exec', kind, 'node', '-p', 'process.getuid()'), '1000')
    await eventually(
      async () => assert.is(await inspect(kind, '{{.State.Health.Status}}'), 'healthy'),
      90_000,
    )
  })
}

test('brings what Node.js would have to compile at the start of every task', async () => {
  const code = `const { getCompileCacheDir } = require('node:module')
  fs.readdirSync(getCompileCacheDir()).length`
  const files = Number(await lab.docker('n2', 'exec', 'gateway', 'node', '-p', code))
  assert.ok(files > 300, `${files} compiled files`)
})

test('its services find the items of a generation that lies on the node', async () => {
  const host = lab.nodes[1]!.host
  const body = JSON.stringify({ query: 'Which ships carry grain?', k: 3 })
  const headers = { 'content-type': 'application/json' }
  const reply = await fetch(`http://${host}:${PORTS.gateway}/v1/search`, { method: 'POST', headers, body })
  const { hits, generation } = (await reply.json()) as { hits: object[]; generation: string }
  assert.equal([generation, hits.length], [manifest.generation, 3])
})

test('can be asked with Node.js alone, and holds no shell', async () => {
  assert.is(JSON.parse(await ask('gateway', '/v1/status')).service, 'gateway')
  const lost = await lab.docker('n2', 'exec', 'gateway', 'sh', '-c', 'true').then(String, String)
  assert.match(lost, 'executable file not found')
})

test('ask.mjs fails, and says why, where the service is not ready', async () => {
  await lab.docker('n2', 'exec', '--env', 'PORT=1', 'gateway', 'node', 'services/ask.mjs').then(
    () => assert.unreachable(),
    (error) => assert.match(String(error), 'cannot be reached'),
  )
})

test('ends with exit code 0 when it is asked to', async () => {
  await lab.docker('n2', 'stop', '--time', '15', 'gateway')
  assert.is(await inspect('gateway', '{{.State.ExitCode}}'), '0')
})

test('comes to a node through a registry too, by a name that image.mjs prints', async () => {
  const registry = await startRegistry(lab.address)
  try {
    const images = createDockerImages({ host: `unix://${lab.nodes[0]!.socket}` })
    const context = { ...new FakeFleet([]).context(), images }
    const pushed = await makeImage(context, {
      source: { kind: 'machine' },
      push: `${registry.url}/longshore`,
    })
    assert.is(pushed.json.image, `${registry.url}/${image}`)
    await lab.docker('n2', 'run', '--rm', '--entrypoint', 'node', String(pushed.json.image), '-e', '0')
  } finally {
    await registry.stop()
  }
})

test('has an ONNX model in an image on top, which serves it to whoever may read nothing else', async () => {
  const root = makeTempDir()
  const words = ['grain', 'ship']
  const valueAt = (token: number, column: number) => (token === column ? 1 : 0.1)
  writeTextModel(join(root, 'words', '1'), { words, dimensions: 8, valueAt })
  await writeFile(join(root, 'words', '1', '.hidden'), 'of no use')
  await chmod(join(root, 'words', '1', 'model.onnx'), 0o600)
  const images = createDockerImages({ host: `unix://${lab.nodes[1]!.socket}` })
  const name = `${image}-words`
  const { signal } = new AbortController()
  await images.build(name, { kind: 'model', image, root, model: { name: 'words', version: '1' } }, signal)
  const model = { name: 'words', version: '1', dimensions: 8, metric: 'cosine', normalized: true }
  const told = { MODEL: JSON.stringify({ ...model, fingerprint: 'w' }), MODEL_DIR: '/model', PORT: '8502' }
  const variables = Object.entries(told).flatMap(([key, value]) => ['--env', `${key}=${value}`])
  await lab.docker(
    'n2',
    'run',
    '--detach',
    '--name',
    'words',
    '--read-only',
    ...variables,
    name,
    'extraction',
  )
  await eventually(async () => {
    const answer = await lab.docker('n2', 'exec', 'words', 'node', 'services/ask.mjs', '/readyz')
    assert.equal(JSON.parse(answer), { ready: true })
  }, 90_000)
  const list = 'console.log(fs.readdirSync("/model").sort().join())'
  const files = await lab.docker('n2', 'exec', 'words', 'node', '-e', list)
  assert.is(files, 'model.onnx,tokenizer.json,tokenizer_config.json')
})

test('holds no package for development, and nothing else than the services need', async () => {
  const list = `console.log(JSON.stringify([...fs.readdirSync('/app'), ...fs.readdirSync('/app/lib'), ...fs.readdirSync('/app/node_modules')]))`
  const found = JSON.parse(
    await lab.docker('n2', 'run', '--rm', '--entrypoint', 'node', image, '-e', list),
  ) as string[]
  const { devDependencies } = JSON.parse(await readFile('package.json', 'utf8'))
  const unwanted = [
    ...Object.keys(devDependencies),
    '.git',
    'test',
    'scripts',
    'config',
    'dgs',
    'flows',
    'cli',
  ]
  assert.equal(
    found.filter((name) => unwanted.includes(name)),
    [],
  )
  assert.ok(found.includes('services') && found.includes('fastify'))
  hasFailed = false
})

test.run()

async function start(kind: Kind): Promise<void> {
  const environment = {
    ...GATES,
    PORT: String(PORTS[kind]),
    CLUSTER: '0',
    GENERATIONS: renderRefs([manifest]),
    MODEL: JSON.stringify(manifest.model),
    MODELS: JSON.stringify([manifest.model]),
    ENDPOINTS_FILE: '/data/endpoints.json',
  }
  const variables = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const bounds = [
    '--read-only',
    '--cap-drop',
    'ALL',
    '--network',
    'host',
    '--volume',
    '/var/lib/longshore:/data:ro',
  ]
  await lab.docker('n2', 'run', '--detach', '--name', kind, ...bounds, ...variables, image, kind)
}

/** What a service answers to its own container. */
async function ask(kind: Kind, path: string): Promise<string> {
  return await eventually(() => lab.docker('n2', 'exec', kind, 'node', 'services/ask.mjs', path), 60_000)
}

async function inspect(kind: Kind, format: string): Promise<string> {
  return await lab.docker('n2', 'inspect', '--format', format, kind)
}
