import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { applyService } from '../../../lib/adapters/swarm/apply-service.ts'
import type { Manager } from '../../../lib/adapters/swarm/docker-client.ts'
import type { Engine } from '../../../lib/adapters/swarm/engine-parts.ts'
import { makeSpec } from '../../contracts/orchestrator.ts'
import { rejectsWith } from '../../support/errors.ts'
import { makeSettings } from './swarm-engine.ts'

const { signal } = new AbortController()

/** Makes the first service of a fleet in a Swarm that answers a new network so. */
async function makeFirst(stderr: string): Promise<string[]> {
  const asked: string[] = []
  const run: Manager['run'] = async (args) => {
    const command = args.slice(0, 2).join(' ')
    asked.push(command)
    const isRefused = command === 'network create' && stderr !== ''
    return { code: isRefused ? 1 : 0, stdout: '', stderr: isRefused ? stderr : '' }
  }
  const manager: Manager = { run, read: async (...one) => (await run(...one)).stdout }
  const settings = makeSettings()
  const engine = { manager, settings } as unknown as Engine
  const standing = {
    fence: { fleet: settings.fleet, number: 1 },
    view: { services: [], tasks: [], nodes: [] },
  }
  await applyService(
    engine,
    { spec: { ...makeSpec({ nodes: ['n1', 'n2'] }), nodes: [] }, content: {} },
    { standing, signal },
  )
  return asked
}

test('takes the network that another service of the fleet made at the same time, however docker calls that', async () => {
  for (const words of [
    'Error response from daemon: network with name longshore_shop already exists',
    'Error response from daemon: rpc error: code = Unknown desc = name conflicts with an existing object',
  ]) {
    assert.equal(await makeFirst(words), ['network ls', 'network create', 'stack deploy'])
  }
})

test('makes no service without its network', async () => {
  await rejectsWith(makeFirst('could not find an available subnet'), 'remote', /available subnet/)
})

test.run()
