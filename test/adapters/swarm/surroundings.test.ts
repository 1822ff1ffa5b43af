import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createSwarmSurroundings,
  type SwarmSurroundingsSettings,
} from '../../../lib/adapters/swarm/surroundings.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { RunResult } from '../../../lib/ports/remote-shell.ts'
import { describeSurroundings } from '../../contracts/surroundings.ts'
import { assertFound, assertSound } from '../../support/findings.ts'
import { readRecorded } from '../../support/recorded.ts'

const NOW = 1_795_262_656_000
const NODE_IDS = Object.fromEntries(
  (JSON.parse(readRecorded('docker-node-inspect.json')) as RawNode[]).map((raw) => [
    raw.Description.Hostname,
    raw.ID,
  ]),
)
const NEVER = new AbortController().signal

describeSurroundings('the surroundings of a Swarm', () => {
  return { sound: makeSubject(), silent: makeSubject({ before: () => new Promise<never>(() => undefined) }) }
})

test('finds nothing amiss where every machine and the managers say what they should', async () => {
  const { findings, silent } = await makeSubject().examine(NEVER)
  assertSound(findings)
  assert.equal(silent, [])
})

test('asks everything in a way that changes nothing', async () => {
  const asked: string[] = []
  await makeSubject({ before: (_node, argv) => asked.push(argv.join(' ')) }).examine(NEVER)
  assert.ok(asked.length > 20)
  const known =
    /^(docker (version|info|image inspect|ps|node (ls|inspect)|service (ls|inspect|ps)|inspect) |cat |sh -c |date )/
  assert.equal(
    asked.filter((line) => !known.test(`${line} `)),
    [],
  )
})

test('tells a machine that cannot be reached, and examines all others', async () => {
  const { findings, silent } = await makeSubject({ before: failOn('n3') }).examine(NEVER)
  assert.equal(silent, [{ name: 'n3', problem: 'n3: gone', hint: 'plug it in' }])
  assertSound(findings)
  assertFound(findings, 'ok', /longshore:1 is on n1, n2$/)
})

test('tells an engine that hangs, and what else its machine says', async () => {
  const hang = (node: string, argv: readonly string[]) => {
    if (node === 'n2' && argv[0] === 'docker') {
      throw new LongshoreError('remote', 'n2: docker did not end within 8 s')
    }
    return undefined
  }
  const { findings, silent } = await makeSubject({ before: hang }).examine(NEVER)
  assertFound(findings, 'fail', /engine of n2 does not answer: n2: docker did not end/, /systemctl start/)
  assert.equal([findings.filter(({ state }) => state !== 'ok').length, silent], [1, []])
})

test('compares clocks with ours', async () => {
  const { findings } = await makeSubject({ now: () => NOW + 3_600_000 }).examine(NEVER)
  assertFound(findings, 'fail', /clock of this machine is 3600 s ahead/)
})

test('takes the answer of the manager that gives one, while another hangs', async () => {
  const hang = (node: string, argv: readonly string[]) =>
    node === 'n1' && argv[1] === 'node' ? new Promise<never>(() => undefined) : undefined
  const { findings } = await makeSubject({ managers: ['n1', 'n2'], before: hang }).examine(NEVER)
  assertFound(findings, 'ok', /1 of 1 managers/)
})

test('tells why no manager answers, and examines the machines all the same', async () => {
  const down = (_node: string, argv: readonly string[]) =>
    argv[1] === 'node' ? fail('Error response from daemon: This node is not a swarm manager.') : undefined
  const { findings, silent } = await makeSubject({ before: down, inactive: 'n2' }).examine(NEVER)
  assertFound(
    findings,
    'fail',
    /no manager of the Swarm answers: n1: .*not a swarm manager/,
    /bring one back/,
  )
  assertFound(findings, 'fail', /n2 is in no Swarm/)
  assertFound(findings, 'ok', /can be written to/)
  assert.equal(silent, [])
})

test('answers when its time is up with what is known by then', async () => {
  const hang = (node: string) => (node === 'n2' ? new Promise<never>(() => undefined) : undefined)
  const limit = new AbortController()
  const examined = makeSubject({ before: hang }).examine(limit.signal)
  setImmediate(() => limit.abort(new LongshoreError('remote', 'no answer within 12 s')))
  const { silent } = await examined
  assert.ok(silent.some(({ name, problem }) => name === 'n2' && problem === 'no answer within 12 s'))
})

test('finds an image, a directory and a port that are not as they should be on one machine', async () => {
  const amiss = (node: string, argv: readonly string[]) => {
    if (node !== 'n2') return undefined
    const line = argv.join(' ')
    if (line.includes('image inspect')) return fail('No such image')
    if (line.includes('isWritable')) return done('directory false 755 0 0 0022\n')
    if (line.includes('publish='))
      return done('{"Names":"web","Labels":"com.docker.swarm.service.name=web"}\n')
    return undefined
  }
  const { findings } = await makeSubject({ before: amiss }).examine(NEVER)
  assertFound(findings, 'fail', /n2 does not have longshore:1/)
  assertFound(findings, 'fail', /root may not write to \/var\/lib\/longshore on n2/)
  assertFound(findings, 'fail', /14005 on n2 is taken by the container web of the service web/)
})

test('finds each image of a model that a machine lacks', async () => {
  const lacking = (node: string, argv: readonly string[]) =>
    node === 'n3' && argv.at(-1) === 'longshore:1-aa' ? fail('No such image') : undefined
  const { findings } = await makeSubject({ before: lacking }).examine(NEVER)
  assertFound(findings, 'fail', /n3 does not have longshore:1-aa/)
  assertFound(findings, 'ok', /longshore:1 is on n1, n2, n3$/)
})

test('finds traps of GPUs in the files of machines, also of those whose engine does not start for them', async () => {
  const files: Record<string, string> = {
    n1: JSON.stringify({ 'node-generic-resources': ['gpu=0', 'gpu=1'] }),
    n2: '{ "node-generic-resources": [',
    n3: JSON.stringify({ 'node-generic-resources': ['gpu=GPU-1'], 'default-runtime': 'nvidia' }),
  }
  const amiss = (node: string, argv: readonly string[]) => {
    if (argv[1] === '/etc/docker/daemon.json') return done(files[node]!)
    if (argv[1] === '/etc/nvidia-container-runtime/config.toml') return done('#swarm-resource = "x"\n')
    return node === 'n1' && argv[1] === 'info' ? fail('cannot connect') : undefined
  }
  const { findings } = await makeSubject({ before: amiss }).examine(NEVER)
  assertFound(findings, 'fail', /n1: the engine takes no list of numbers/, /UUID/)
  assertFound(findings, 'fail', /n2: .*daemon\.json is no JSON/, /mend it/)
  assertFound(findings, 'fail', /n3: .* says gpu=GPU-1, the engine offers none/, /restart docker/)
  assertFound(findings, 'fail', /n3: swarm-resource is not set/, /DOCKER_RESOURCE_GPU/)
})

test.run()

type RawNode = { readonly ID: string; readonly Description: { readonly Hostname: string } }
type Answer = RunResult | Promise<RunResult> | undefined

type Options = {
  readonly managers?: readonly string[]
  readonly now?: () => number
  /** Name of a machine whose engine is in no Swarm. */
  readonly inactive?: string
  /** Answers in place of the machine, or raises. */
  readonly before?: (node: string, argv: readonly string[]) => Answer | unknown
}

function makeSubject({
  managers = ['n1'],
  now = () => NOW,
  inactive,
  before = () => undefined,
}: Options = {}) {
  const shell: SwarmSurroundingsSettings['shell'] = {
    async run(node, argv, { signal }) {
      signal.throwIfAborted()
      const own = before(node, argv) as Answer
      const answer = typeof own === 'object' ? own : answerSoundly(node, argv, inactive)
      const aborted = new Promise<never>((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      )
      return await Promise.race([aborted, answer])
    },
    close: async () => undefined,
  }
  return createSwarmSurroundings({
    shell,
    transport: {
      inspect: async (name) => ({ name, reachable: true, freeBytes: 1, memoryBytes: 1, generations: [] }),
    },
    nodes: ['n1', 'n2', 'n3'].map((name) => ({ name, user: 'root' })),
    managers,
    stack: {
      fleet: 'shop',
      image: 'longshore:1',
      dataDirectory: '/var/lib/longshore',
      publish: 'ingress',
      entry: 'services/main.ts',
      healthSeconds: 1,
      lameDuckSeconds: 2,
      graceSeconds: 12,
      monitorSeconds: 5,
    },
    images: ['longshore:1', 'longshore:1-aa'],
    ssh: { maxChannels: 8, maxStarting: 8 },
    gateway: { port: 14005, replicas: 1 },
    index: { replicas: 1 },
    update: { deadlineSeconds: 60, leaseSeconds: 30, unreachableNodes: 'refuse' },
    now,
  })
}

/** What a sound machine of three, the first of them a manager, prints. */
function answerSoundly(node: string, argv: readonly string[], inactive: string | undefined): RunResult {
  const line = argv.join(' ')
  if (line.startsWith('docker version')) return done(readRecorded('docker-version.json'))
  if (line.startsWith('docker info')) return done(renderInfo(node, node === inactive ? 'inactive' : 'active'))
  if (line.startsWith('docker image')) return done('[{"Id":"sha256:1","Architecture":"amd64"}]')
  if (line.startsWith('docker node ls')) return done(Object.values(NODE_IDS).join('\n'))
  if (line.startsWith('docker node inspect')) {
    return done(readRecorded('docker-node-inspect.json').replace('"drain"', '"active"'))
  }
  if (line.includes('isWritable')) return done('directory true 755 0 0 0022\n')
  if (line.includes('sshd -T')) return done(readRecorded('sshd-t.txt'))
  if (line.startsWith('date')) return done(`${NOW / 1000}.000000000\n`)
  return done('')
}

function renderInfo(node: string, state: string): string {
  const Swarm = {
    NodeID: NODE_IDS[node],
    LocalNodeState: state,
    ControlAvailable: node === 'n1' || node === 'n2',
  }
  return JSON.stringify({ Swarm })
}

function failOn(lost: string) {
  return (node: string) => {
    if (node === lost) throw new LongshoreError('remote', `${node}: gone`, { hint: 'plug it in' })
  }
}

function done(stdout: string): RunResult {
  return { code: 0, stdout, stderr: '' }
}

function fail(stderr: string): RunResult {
  return { code: 1, stdout: '', stderr }
}
