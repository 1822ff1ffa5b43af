import { LongshoreError } from '../../domain/errors.ts'
import type { ServiceSpec } from '../../domain/service.ts'
import type { SwarmService } from '../../domain/swarm-inspect.ts'
import { renderService, renderStack, type StackService } from '../../domain/swarm-stack.ts'
import type { ChangeOptions } from '../../ports/orchestrator.ts'
import { pause } from '../process/pause.ts'
import { createNetwork, deployStack, listNetworks } from './docker-argv.ts'
import { describeFailure } from './docker-client.ts'
import { type Engine, readService } from './engine-parts.ts'
import { prepareMembers } from './node-labels.ts'
import { readNodes } from './read-fleet.ts'

const PAUSE_MS = 400
const ATTEMPTS = 10

/** Writes a service by its spec. Raises `remote`, `locked`, and `usage` for a node that is not in the Swarm. */
export async function applySpec(
  engine: Engine,
  spec: ServiceSpec,
  { signal, deadlineMs }: ChangeOptions,
): Promise<void> {
  await prepareNetwork(engine, signal)
  const nodes = await readNodes(engine.manager, signal)
  const excluded = await prepareMembers(engine, { nodes, wanted: spec.nodes }, signal)
  const making = { settings: engine.settings, excluded, loadSeconds: Math.ceil(deadlineMs / 1000) }
  await deploy(engine, spec, { made: renderService(spec, making), signal })
}

/** Writes a service as it was, byte by byte: tasks of it that still run stay. */
export async function applyFormer(
  engine: Engine,
  former: SwarmService,
  options: ChangeOptions,
): Promise<void> {
  if (!former.made) return await applySpec(engine, former.spec, options)
  await deploy(engine, former.spec, { made: former.made, signal: options.signal })
}

/** Two operators whose services share the Swarm may both make it. */
async function prepareNetwork({ manager, settings: { fleet } }: Engine, signal: AbortSignal): Promise<void> {
  if ((await manager.read(listNetworks(fleet), { signal })).trim() !== '') return
  const result = await manager.run(createNetwork(fleet), { signal })
  if (result.code !== 0 && !/already exists/i.test(result.stderr)) {
    throw describeFailure(createNetwork(fleet), result)
  }
}

/** Writes the service whole. The Swarm refuses it when the service changed since docker read it: then all is looked at again. */
async function deploy(
  engine: Engine,
  spec: ServiceSpec,
  { made, signal }: { readonly made: StackService; readonly signal: AbortSignal },
): Promise<void> {
  const { manager, settings } = engine
  const { fleet } = settings
  for (let attempt = 1; ; attempt++) {
    const fence = await engine.readFence(signal)
    const [current] = (await readService(engine, spec.name, signal)).services
    if (current && fence < current.fence && fence > 0) throw refuse(spec.name, current.fence, fence)
    const stdin = renderStack(spec, made, { fleet, fence: fence || (current?.fence ?? 0) })
    const result = await manager.run(deployStack(fleet), { signal, stdin })
    if (result.code === 0) return
    const isRace = /out of sequence|already exists|name conflicts/i.test(result.stderr)
    if (!isRace || attempt === ATTEMPTS) throw describeFailure(deployStack(fleet), result)
    await pause(PAUSE_MS * attempt * Math.random(), signal)
  }
}

function refuse(service: string, found: number, own: number): LongshoreError {
  return new LongshoreError(
    'locked',
    `${service} was changed under a newer lock (${found}) than that of this run (${own})`,
    { hint: 'another operator took over; status.mjs shows where the fleet stands' },
  )
}
