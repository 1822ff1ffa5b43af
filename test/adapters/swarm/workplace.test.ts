import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { execa } from 'execa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Manager } from '../../../lib/adapters/swarm/docker-client.ts'
import { createSwarmWorkplace } from '../../../lib/adapters/swarm/workplace.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { Task } from '../../../lib/domain/service.ts'
import { eventually } from '../../support/eventually.ts'
import { createProcessShell } from '../../support/process-shell.ts'
import { ROOT } from '../../support/shared.ts'

const NEVER = new AbortController().signal
const TASK: Task = { id: 'extraction.1.t1', node: 'n1', state: 'ready', generations: [] }
const NODES = [
  { ID: 'a', Description: { Hostname: 'n1' }, Status: { State: 'ready' }, Spec: {} },
  {
    ID: 'b',
    Description: offer('n2', { NamedResourceSpec: { Kind: 'gpu', Value: 'GPU-1' } }),
    Status: { State: 'ready' },
    Spec: {},
  },
  {
    ID: 'c',
    Description: offer('n3', { DiscreteResourceSpec: { Kind: 'gpu', Value: 2 } }),
    Status: { State: 'down' },
    Spec: {},
  },
  {
    ID: 'd',
    Description: offer('n4', { DiscreteResourceSpec: { Kind: 'SSD', Value: 2 } }),
    Status: { State: 'ready' },
    Spec: {},
  },
]

function offer(name: string, resource: object) {
  return { Hostname: name, Resources: { GenericResources: [resource] } }
}

/** A Swarm with one task, whose container is the program of services/pipe.mjs beside a service of this process. */
async function makeWorld(state = 'running') {
  const service = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    response.end(`${request.url} with ${Buffer.concat(parts).length} bytes`)
  })
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  const { port } = service.address() as AddressInfo
  const inner = createProcessShell('none')
  const shell = {
    ...inner,
    run: (node: string, argv: readonly string[], options: Parameters<typeof inner.run>[2]) => {
      assert.equal(argv.slice(0, 4), ['docker', 'exec', '--interactive', 'box'])
      const program = ['env', `PORT=${port}`, process.execPath, `${ROOT}${argv.at(-1)}`]
      return inner.run(node, program, options)
    },
  }
  const task = {
    ID: 't1',
    ServiceID: 's1',
    NodeID: 'a',
    CreatedAt: '2026-01-01T00:00:00Z',
    DesiredState: 'running',
    Spec: {},
    Status: { State: state, ContainerStatus: { ContainerID: 'box' } },
  }
  const run: Manager['run'] = async (args) => {
    const stdout = JSON.stringify(args.includes('task') ? [task] : NODES)
    return { code: 0, stdout, stderr: '' }
  }
  const manager: Manager = { run, read: async (...asked) => (await run(...asked)).stdout }
  return { workplace: createSwarmWorkplace({ shell, manager }), inner, stop: () => service.close() }
}

test('reaches a task whose port is not published, by several connections, with all that is sent and answered', async () => {
  const { workplace, inner, stop } = await makeWorld()
  const way = await workplace.open(TASK, NEVER)
  const answers = await Promise.all(
    [1, 2, 3].map(async (turn) => {
      const reply = await fetch(`${way.url}/${turn}`, { method: 'POST', body: 'x'.repeat(turn << 20) })
      return await reply.text()
    }),
  )
  assert.equal(
    answers,
    [1, 2, 3].map((turn) => `/${turn} with ${turn << 20} bytes`),
  )
  inner.cut('n1')
  const lost = await fetch(`${way.url}/4`).then(String, String)
  assert.match(lost, 'fetch failed')
  await way.close()
  await stop()
})

test('closes every connection with the way', async () => {
  const { workplace, stop } = await makeWorld()
  const way = await workplace.open(TASK, NEVER)
  assert.is(await (await fetch(way.url)).text(), '/ with 0 bytes')
  await way.close()
  await eventually(async () => assert.match(await fetch(way.url).then(String, String), 'fetch failed'), 5000)
  await stop()
})

test('does not wait for a task that does not run', async () => {
  const { workplace, stop } = await makeWorld('starting')
  const [outcome] = await Promise.allSettled([workplace.open(TASK, NEVER)])
  assert.ok(outcome.status === 'rejected' && outcome.reason instanceof LongshoreError)
  assert.match(String(outcome.status === 'rejected' && outcome.reason), 'does not run')
  await stop()
})

test('counts the GPUs that nodes offer, by name or by number, and that are there', async () => {
  const { workplace, stop } = await makeWorld()
  assert.equal(await workplace.countGpus(NEVER), 1)
  await stop()
})

test('says why there is no connection', async () => {
  const { exitCode, stderr } = await execa(process.execPath, [`${ROOT}services/pipe.mjs`], {
    env: { PORT: '1' },
    reject: false,
    input: '',
  })
  assert.is(exitCode, 1)
  assert.match(stderr, 'ECONNREFUSED')
})

test.run()
