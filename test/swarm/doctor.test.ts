import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { stringify } from 'yaml'
import { createContext } from '../../lib/cli/wire.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { Finding } from '../../lib/domain/finding.ts'
import { extractionSpecs } from '../../lib/domain/plan-services.ts'
import { createBlueprint } from '../../lib/flows/blueprint.ts'
import type { Context } from '../../lib/flows/context.ts'
import { doctor } from '../../lib/flows/doctor.ts'
import { eventually } from '../support/eventually.ts'
import { FakeFleet } from '../support/fakes/fleet-context.ts'
import { assertFound } from '../support/findings.ts'
import { TEST_EXTRACTION, TEST_MODEL } from '../support/fleet.ts'
import { makeGeneration } from '../support/generation.ts'
import { makeTempDir } from '../support/temp.ts'
import { bringImage } from './lab/image.ts'
import { type Lab, startLab } from './lab/lab.ts'
import { makeState } from './lab/state.ts'

const STATE = makeState()
const DIRECTORY = makeTempDir()
const PORT = 14005
const GPU = 'GPU-45cbf7b3'

let lab: Lab
let image: string
let hasFailed = true

test.before(async () => {
  lab = await startLab({ state: STATE, nodes: 3 })
  image = await bringImage(lab)
  await mkdir(join(DIRECTORY, 'dgs'))
  await makeGeneration(join(DIRECTORY, 'dgs'), { clusters: 1 })
})
test.after(async () => {
  if (existsSync(STATE)) await lab.stop({ hasFailed })
})

test('finds nothing on a sound Swarm that serves nothing yet, and changes nothing', async () => {
  const before = await readSwarm()
  const findings = await examine()
  assert.equal(findings.filter(isFailure), [])
  assert.equal(
    ['clock', 'engine', 'managers', 'image', 'directory', 'sshd', 'swarm', 'port', 'timing'].filter(
      (check) => !findings.some((one) => one.check === check && one.state === 'ok'),
    ),
    [],
  )
  assert.is(await readSwarm(), before)
})

test('finds a host key that is not the known one, and examines the other nodes all the same', async () => {
  const [first, second] = lab.nodes
  const text = await readFile(second!.knownHosts, 'utf8')
  const lines = text.split('\n').map((line) => line.split(' '))
  const [, , stolen = ''] = lines.find(([hosts]) => hosts!.startsWith(`${first!.host},`)) ?? []
  const swapped = lines.map(([hosts, type, key]) =>
    hosts!.startsWith(`${second!.host},`) ? `${hosts} ${type} ${stolen}` : [hosts, type, key].join(' '),
  )
  const knownHostsFile = join(DIRECTORY, 'known_hosts')
  await writeFile(knownHostsFile, swapped.join('\n'))
  const findings = await examine({ ssh: { identityFile: first!.key, knownHostsFile } })
  assertFound(findings, 'fail', /n2.*shows the key SHA256:.*line 2 holds another/, /check its key/)
  assertFound(findings, 'ok', /n1, n3$/)
  assert.equal(
    findings.filter(isFailure).map(({ check }) => check),
    ['node'],
  )
})

test('finds a node that the Swarm knows by another name, and a manager that is none', async () => {
  const nodes = listNodes().map((node) => (node.name === 'n3' ? { ...node, name: 'node-three' } : node))
  const findings = await examine({ nodes, swarm: makeSwarm({ managers: ['n1', 'n2'] }) })
  assertFound(findings, 'fail', /calls node-three is n3 in the Swarm/, /call it n3/)
  assertFound(findings, 'warn', /n2 is no manager/, /node promote n2/)
})

test('finds a user who may not run docker nor write the data directory', async () => {
  await lab.exec('n2', ['useradd', '--create-home', '--password', '*', 'carrier'])
  await lab.exec('n2', ['cp', '-r', '/root/.ssh', '/home/carrier/.ssh'])
  await lab.exec('n2', ['chown', '-R', 'carrier', '/home/carrier/.ssh'])
  const nodes = listNodes().map((node) => (node.name === 'n2' ? { ...node, user: 'carrier' } : node))
  const findings = await examine({ nodes })
  assertFound(findings, 'fail', /n2: carrier may not run docker/, /usermod -aG docker carrier/)
  assertFound(findings, 'fail', /carrier may not write to .* on n2/, /install -d -o carrier/)
})

test('finds a full disk, an image that is missing on one node, and a mark without its data', async () => {
  await lab.fault.fillDisk('n2')
  await lab.docker('n1', 'node', 'update', '--label-add', 'longshore.doctor.dg_1=0123456789abcdef', 'n1')
  for (const node of ['n1', 'n2']) await lab.docker(node, 'tag', image, 'longshore:other')
  const findings = await examine({ swarm: makeSwarm({ image: 'longshore:other' }) })
  assertFound(findings, 'fail', /n2 has .* free, dg_1 needs/, /free some space on n2/)
  assertFound(findings, 'fail', /n3 does not have longshore:other/, /image\.mjs/)
  assertFound(findings, 'fail', /n1 is marked as holding dg_1 .* not there/, /deliver\.mjs dg_1/)
  await lab.fault.freeDisk('n2')
  await lab.docker('n1', 'node', 'update', '--label-rm', 'longshore.doctor.dg_1', 'n1')
})

test('finds a drained node, and that the gateway would wait for it without end', async () => {
  await lab.docker('n1', 'node', 'update', '--availability', 'drain', 'n2')
  const findings = await examine({ gateway: { replicas: 2, port: PORT } })
  assertFound(findings, 'warn', /n2 is drained/, /--availability active n2/)
  assertFound(findings, 'fail', /beside the 2 old ones would wait for ever/, /gateway\.replicas/)
  await lab.docker('n1', 'node', 'update', '--availability', 'active', 'n2')
})

test('finds the gateway’s port taken by a container on one node, and by a process on another', async () => {
  const forever = ['--entrypoint', 'node', image, '-e', 'setInterval(() => {}, 1e6)']
  await lab.docker('n3', 'run', '--detach', '--name', 'squatter', '--publish', `${PORT}:80`, ...forever)
  // Perl is on every Debian; the directory of this project may not be on a node.
  const listen = `IO::Socket::INET->new(Listen => 1, LocalPort => ${PORT}) and sleep`
  const program = `setsid perl -MIO::Socket::INET -e "$0" >/dev/null 2>&1 </dev/null & echo $!`
  const pid = await lab.exec('n2', ['sh', '-c', program, listen])
  const findings = await eventually(async () => {
    const found = await examine()
    assert.is(found.filter(isFailure).length, 2)
    return found
  }, 60_000)
  assertFound(findings, 'fail', /14005 on n3 is taken by the container squatter/, /gateway\.port/)
  assertFound(findings, 'fail', /14005 on n2 is taken by a process/, /ss -ltnp/)
  await lab.docker('n3', 'rm', '--force', 'squatter')
  await lab.exec('n2', ['kill', pid])
})

test('finds what a third party changed of a service, and a health check that was taken away', async () => {
  await startExtraction(1)
  assert.equal((await examine()).filter(isFailure), [])
  const update = ['--no-healthcheck', '--stop-grace-period', '1s', '--detach', `doctor_${TEST_EXTRACTION}`]
  await lab.docker('n1', 'service', 'update', ...update)
  const findings = await examine()
  assertFound(findings, 'fail', /doctor_extraction_\w+ has no health check/, /apply\.mjs/)
  assertFound(
    findings,
    'warn',
    /changed the service doctor_extraction_\w+: stop_grace_period 12000 -> 1000/,
    /profile/,
  )
})

test('finds what an engine has not read of its GPUs, then none amiss, and a service that asks for none', async () => {
  const root = lab.locateRoot('n3')!
  const engine = JSON.parse(await readFile(join(root, 'etc/docker/daemon.json'), 'utf8'))
  const offers = { 'node-generic-resources': [`gpu=${GPU}`] }
  await writeFile(join(root, 'etc/docker/daemon.json'), JSON.stringify({ ...engine, ...offers }))
  const unread = await examine()
  assertFound(unread, 'fail', /n3: .* says gpu=GPU-45cbf7b3, the engine offers none/, /restart docker/)
  assertFound(unread, 'fail', /n3: NVIDIA's runtime is not the default one/, /default-runtime/)
  assertFound(unread, 'fail', /n3: swarm-resource is not set/, /DOCKER_RESOURCE_GPU/)

  // Any runtime will do for what engine and Swarm say of it.
  const runtime = { runtimes: { nvidia: { path: 'runc' } }, 'default-runtime': 'nvidia' }
  await writeFile(join(root, 'etc/docker/daemon.json'), JSON.stringify({ ...engine, ...offers, ...runtime }))
  await mkdir(join(root, 'etc/nvidia-container-runtime'), { recursive: true })
  await writeFile(
    join(root, 'etc/nvidia-container-runtime/config.toml'),
    'swarm-resource = "DOCKER_RESOURCE_GPU"\n',
  )
  await lab.fault.stop('n3', 'dockerd')
  await lab.fault.start('n3', 'dockerd')
  await eventually(async () => {
    const gpus = (await examine()).filter(({ check }) => check === 'gpu')
    assert.equal(
      gpus.map(({ state, detail }) => `${state}: ${detail}`),
      ['ok: settings give n3 the GPUs that they should'],
    )
  }, 60_000)
  const asked = ['--generic-resource', 'gpu=0', '--label', 'longshore.fleet=doctor', '--replicas', '0']
  await lab.docker('n1', 'service', 'create', '--detach', '--name', 'by-hand', ...asked, image)
  assertFound(await examine(), 'fail', /by-hand: gpu=0 reserves none/, /gpu=1/)
  await lab.docker('n1', 'service', 'rm', 'by-hand')
})

test('examines what is left when a node is cut off, though services have tasks there', async () => {
  // Made anew, it has a task on each node; one that is changed keeps places that are free only afterwards.
  await lab.docker('n1', 'service', 'rm', `doctor_${TEST_EXTRACTION}`)
  await startExtraction(3)
  // Else the Swarm may have put another task elsewhere by the time that all is looked at.
  await lab.docker(
    'n1',
    'service',
    'update',
    '--replicas-max-per-node',
    '1',
    '--detach',
    `doctor_${TEST_EXTRACTION}`,
  )
  await lab.fault.cut('n3')
  const findings = await examine()
  assert.equal(
    findings.filter(({ check }) => check === 'services'),
    [],
  )
  assertFound(findings, 'warn', /extraction_\w+\.\d\S* on n3 is failed/, /update-indices/)
  assertFound(findings, 'fail', /n3 cannot be reached/, /unreachableNodes/)
  const about = findings.filter(({ check, detail }) => check !== 'drift' && /\bn3\b/.test(detail))
  assert.is(about.length, 1, JSON.stringify(about, null, 1))
  assertFound(findings, 'ok', /n1, n2$/)
  assertFound(findings, 'ok', /1 of 1 managers/)
  await lab.fault.heal('n3')
})

test('examines what is left when no manager answers', async () => {
  await lab.fault.stop('n1', 'dockerd')
  const findings = await examine()
  assertFound(findings, 'fail', /engine of n1 does not answer/, /systemctl start docker/)
  assertFound(findings, 'fail', /no manager of the Swarm answers: n1/, /bring one back/)
  assertFound(findings, 'ok', /can be written to/)
  hasFailed = false
})

test.run()

type Overrides = Readonly<Record<string, unknown>>

function listNodes() {
  return lab.nodes.map(({ name, host, user }) => ({ name, host, user }))
}

/** The lab's kernel has no IPVS: ports are those of the nodes. */
function makeSwarm(overrides: Overrides = {}) {
  return { managers: ['n1'], publish: 'host', image, healthSeconds: 1, ...overrides }
}

async function withContext<T>(overrides: Overrides, work: (context: Context) => Promise<T>): Promise<T> {
  const { key, knownHosts } = lab.nodes[0]!
  const profile = {
    name: 'doctor',
    engine: 'swarm',
    generations: join(DIRECTORY, 'dgs'),
    nodes: listNodes(),
    ssh: { identityFile: key, knownHostsFile: knownHosts },
    swarm: makeSwarm(),
    model: TEST_MODEL,
    gateway: { port: PORT },
    ...overrides,
  }
  const profileFile = join(DIRECTORY, 'doctor.yml')
  await writeFile(profileFile, stringify(profile))
  const { reporter, signal, owner, dryRun, confirm } = new FakeFleet([]).context()
  const { context, close } = await createContext({ reporter, signal, owner, dryRun, confirm, profileFile })
  try {
    return await work(context)
  } finally {
    await close()
  }
}

/** A service of the fleet, with its tasks spread over all nodes. */
async function startExtraction(replicas: number): Promise<void> {
  await withContext({ extraction: { replicas } }, async ({ orchestrator, profile, signal }) => {
    const [spec] = extractionSpecs(createBlueprint(profile), ['n1', 'n2', 'n3'], [undefined])
    await orchestrator.change(spec!, { signal, deadlineMs: 60_000 })
  })
}

/** The findings on a profile with these settings. */
async function examine(overrides: Overrides = {}): Promise<Finding[]> {
  const json = await withContext(overrides, (context) =>
    doctor(context).then(
      (answer) => answer.json,
      (error: unknown) => {
        if (error instanceof LongshoreError && error.kind === 'remote') return error.answer
        throw error
      },
    ),
  )
  return json.findings as Finding[]
}

function isFailure({ state }: Finding): boolean {
  return state === 'fail'
}

/** Everything that stands in the Swarm and that somebody may change. */
async function readSwarm(): Promise<string> {
  const nodes = await lab.docker('n1', 'node', 'inspect', '--format', '{{json .Spec}}', 'n1', 'n2', 'n3')
  const lists = ['config', 'service', 'network', 'secret'].map((what) => lab.docker('n1', what, 'ls', '-q'))
  return [nodes, ...(await Promise.all(lists))].join('\n')
}
