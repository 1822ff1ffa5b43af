import { spawn } from 'node:child_process'
import { existsSync, rmdirSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { bringImage } from './lab/image.ts'
import { type Lab, openLab, startLab, stopLab } from './lab/lab.ts'
import { layOut } from './lab/layout.ts'
import { ask, run } from './lab/quiet.ts'
import { makeState } from './lab/state.ts'
import { watchTraces } from './lab/traces.ts'

const STATE = makeState()
const MODEL = { name: 'lexical-hash', version: '1', dimensions: 16, metric: 'cosine', normalized: true }
/** Prints the addresses of all tasks, having asked each of them for its health. */
const LOOK_UP = `require('dns').promises.resolve4('tasks.web').then(async (found) => {
  for (const address of found) await fetch('http://' + address + ':8080/readyz').then((reply) => reply.json())
  console.log(JSON.stringify(found))
}), ''`
const NAMES = ['n1', 'n2', 'n3']

let lab: Lab
const traces = watchTraces(STATE)
let hasFailed = true

test.before(async () => {
  lab = await startLab({ state: STATE, nodes: 3, managers: 1 })
})
test.after(async () => {
  if (existsSync(STATE)) await lab.stop({ hasFailed })
})

test('has addresses of its own, however many labs there are', () => {
  const states = Array.from({ length: 100 }, makeState)
  try {
    const addresses = [STATE, ...states].map((state) => layOut({ state, nodes: 0, managers: 0 }).address)
    assert.is(new Set(addresses).size, addresses.length)
  } finally {
    for (const state of states) rmdirSync(state)
  }
})

test('joins three nodes to one Swarm with the managers that were asked for', async () => {
  const told = await lab.docker(
    'n1',
    'node',
    'ls',
    '--format',
    '{{.Hostname}} {{.Status}} {{.ManagerStatus}}',
  )
  assert.equal(
    told
      .split('\n')
      .map((line) => line.trim())
      .sort(),
    ['n1 Ready Leader', 'n2 Ready', 'n3 Ready'],
  )
  assert.equal(
    lab.nodes.map(({ name, isManager }) => [name, isManager]),
    [
      ['n1', true],
      ['n2', false],
      ['n3', false],
    ],
  )
})

test('changes nothing when it is brought up again', async () => {
  const processes = () => Promise.all(NAMES.map((name) => lab.exec(name, ['cat', '/run/lab/dockerd.pid'])))
  const [pids, members] = [await processes(), await lab.docker('n1', 'node', 'ls', '-q')]
  await startLab({ state: STATE, nodes: 2 })
  assert.equal(await processes(), pids)
  assert.is(await lab.docker('n1', 'node', 'ls', '-q'), members)
  assert.equal((await openLab(STATE)).nodes, lab.nodes)
})

test('reaches every node over SSH, with its own host key, name, engine and files', async () => {
  for (const name of NAMES) {
    assert.is(await lab.ssh(name, ['hostname']), name)
    assert.is(await lab.ssh(name, ['docker', 'info', '--format', '{{.Name}}']), name)
    await lab.ssh(name, [
      'sh',
      '-c',
      'for d in /var/lib/longshore /tmp /root /etc /opt; do echo "$0" >$d/who; done',
      name,
    ])
  }
  for (const name of NAMES) {
    for (const directory of ['/var/lib/longshore', '/tmp', '/root', '/etc', '/opt']) {
      assert.is(await lab.ssh(name, ['cat', `${directory}/who`]), name)
    }
  }
  assert.not.ok(existsSync('/etc/who') || existsSync('/opt/who'))
})

test('refuses a node that shows the host key of another', async () => {
  const [, , third] = lab.nodes
  const wrong = await ask`ssh -F ${lab.sshConfig} -o HostKeyAlias=n1 ${third!.host} true`
  assert.match(wrong.stderr, 'HOST IDENTIFICATION HAS CHANGED')
  assert.is(wrong.exitCode, 255)
})

test('spreads the replicas of a service over the nodes, which reach each other', async () => {
  const image = await bringImage(lab)
  await lab.docker('n1', 'network', 'create', '--driver', 'overlay', 'net')
  const spread = ['--replicas', '3', '--replicas-max-per-node', '1']
  const network = ['--network', 'net', '--endpoint-mode', 'dnsrr']
  const service = ['--detach', '--no-resolve-image', '--name', 'web', ...spread, ...network]
  const task = ['--read-only', '--env', `MODEL=${JSON.stringify(MODEL)}`, image, 'extraction']
  await lab.docker('n1', 'service', 'create', ...service, ...task)
  await eventually(async () => {
    const filter = ['--filter', 'desired-state=running', '--format', '{{.Node}} {{.CurrentState}}']
    const tasks = (await lab.docker('n1', 'service', 'ps', 'web', ...filter)).split('\n').sort()
    assert.equal(
      tasks.map((task) => task.split(' ').slice(0, 2).join(' ')),
      NAMES.map((name) => `${name} Running`),
    )
  }, 120_000)
  const [container] = (await lab.docker('n2', 'ps', '--quiet', '--filter', 'name=web')).split('\n')
  await eventually(async () => {
    const addresses = await lab.docker('n2', 'exec', container!, 'node', '-p', LOOK_UP)
    assert.is(JSON.parse(addresses).length, 3)
  }, 60_000)
  await lab.docker('n1', 'service', 'rm', 'web')
})

test('cuts a node off, and heals it', async () => {
  await lab.fault.cut('n2')
  const options = ['-F', lab.sshConfig, '-o', 'ConnectTimeout=1']
  const lost = await ask`ssh ${options} n2 true`
  assert.is(lost.exitCode, 255)
  assert.is(await lab.exec('n2', ['hostname']), 'n2')
  await lab.fault.heal('n2')
  assert.is(await eventually(() => lab.ssh('n2', ['hostname']), 60_000), 'n2')
})

test('a killed sshd and a killed engine come back; stopped ones stay away until they are started', async () => {
  const readPid = (program: string) => lab.exec('n3', ['cat', `/run/lab/${program}.pid`])
  for (const program of ['sshd', 'dockerd'] as const) {
    const ask = () => lab.ssh('n3', ['docker', 'version', '--format', '{{.Server.Version}}'])
    const isLost = async () =>
      assert.is(
        await ask().then(
          () => 'there',
          () => 'lost',
        ),
        'lost',
      )
    const former = await readPid(program)
    await lab.fault.kill('n3', program)
    await eventually(async () => assert.is.not(await readPid(program), former), 60_000)
    await eventually(ask, 60_000)
    await lab.fault.stop('n3', program)
    await isLost()
    await lab.fault.start('n3', program)
    await ask()
  }
})

test('fills a disk, which is the disk of one node only', async () => {
  const write = (node: string) =>
    lab.ssh(node, ['sh', '-c', 'head -c 100000 /dev/zero >/var/lib/longshore/some'])
  await lab.fault.fillDisk('n1')
  const refused = await write('n1').then(String, String)
  assert.match(refused, 'No space left on device')
  await write('n2')
  await lab.fault.freeDisk('n1')
  await write('n1')
})

test('narrows a line', async () => {
  const send = async () => {
    const start = performance.now()
    await run`head -c 4000000 /dev/zero | ssh -F ${lab.sshConfig} n2 ${'cat >/dev/null'}`
    return performance.now() - start
  }
  await lab.fault.shape('n2', { mbit: 16 })
  // 32 Mbit through 16 Mbit/s.
  assert.ok((await send()) > 1500)
  await lab.fault.shape('n2', {})
  // A busy machine may take longer once, but the narrow line always does.
  await eventually(async () => assert.ok((await send()) < 1500), 60_000)
})

test('narrows one direction of a line, and the one line of this machine to all nodes, and counts what goes through', async () => {
  const send = async () => {
    const start = performance.now()
    const sendTo = (node: string) =>
      run`head -c 1500000 /dev/zero | ssh -F ${lab.sshConfig} ${node} ${'cat >/dev/null'}`
    await Promise.all([sendTo('n1'), sendTo('n2')])
    return performance.now() - start
  }
  await lab.fault.shape('n2', { up: 1 })
  await eventually(async () => assert.ok((await send()) < 1500), 60_000)
  await lab.fault.shape('n2', {})
  const before = lab.readTraffic('host').sent
  await lab.fault.shape('host', { mbit: 16 })
  // 24 Mbit to two nodes through 16 Mbit/s.
  assert.ok((await send()) > 1200)
  await lab.fault.shape('host', {})
  const sent = lab.readTraffic('host').sent - before
  assert.ok(sent > 3_000_000 && sent < 3_600_000, `${sent} bytes`)
  assert.ok(lab.readTraffic('n2').received > 3_000_000)
})

test('a node hangs and goes on; one without power starts again as the member that it was', async () => {
  await lab.fault.freeze('n2')
  const hung = await ask`timeout 1 ssh -F ${lab.sshConfig} n2 true`
  assert.is(hung.exitCode, 124)
  await lab.fault.thaw('n2')
  assert.is(await lab.ssh('n2', ['hostname']), 'n2')
  const members = await lab.docker('n1', 'node', 'ls', '-q')
  await lab.fault.powerOff('n3')
  await lab.fault.powerOn('n3')
  assert.is(await lab.ssh('n3', ['cat', '/var/lib/longshore/who']), 'n3')
  await startLab({ state: STATE })
  assert.is(await lab.docker('n1', 'node', 'ls', '-q'), members)
})

test('refuses to remove a directory that holds something else', async () => {
  const other = `${STATE}-other`
  await mkdir(join(other, 'precious'), { recursive: true })
  try {
    assert.match(await stopLab(other).then(String, String), 'holds something else')
    assert.ok(existsSync(join(other, 'precious')))
  } finally {
    await rm(other, { recursive: true })
  }
})

test('stays for a look when a test has failed and KEEP_FAILED=1', async () => {
  process.env.KEEP_FAILED = '1'
  try {
    await lab.stop({ hasFailed: true })
  } finally {
    delete process.env.KEEP_FAILED
  }
  assert.is(await lab.ssh('n1', ['hostname']), 'n1')
})

test('leaves nothing: no process, mount, namespace, link, cgroup, disk or file, also with a frozen node', async () => {
  await traces.record()
  await lab.fault.freeze('n2')
  await lab.stop()
  await eventually(async () => assert.equal(await traces.list(), []), 60_000)
  await stopLab(STATE)
  assert.equal(await traces.list(), [])
})

test('leaves nothing after it was killed half way up', async () => {
  const up = spawn(process.execPath, ['test/swarm/lab/up.mjs', '--state', STATE], { stdio: 'ignore' })
  await eventually(() => assert.ok(existsSync(join(STATE, 'n2/run/init.log'))), 60_000)
  up.kill('SIGKILL')
  await traces.record()
  assert.ok((await traces.list()).length > 0)
  await stopLab(STATE)
  await eventually(async () => assert.equal(await traces.list(), []), 60_000)
  hasFailed = false
})

test.run()
