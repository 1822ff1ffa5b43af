import { LongshoreError } from '../../domain/errors.ts'
import type { MadeService } from '../../domain/made-service.ts'
import type { ServiceSpec } from '../../domain/service.ts'
import type { SwarmNode, SwarmService } from '../../domain/swarm-inspect.ts'
import { swarmServiceName } from '../../domain/swarm-names.ts'
import { renderService, renderStack, type StackService } from '../../domain/swarm-stack.ts'
import { pause } from '../process/pause.ts'
import { createNetwork, deployStack, forgetImage, listNetworks } from './docker-argv.ts'
import { describeFailure } from './docker-client.ts'
import { type Engine, readFence } from './engine-parts.ts'
import { listOtherMembers, prepareMembers } from './node-labels.ts'
import { readServices } from './read-fleet.ts'

const PAUSE_MS = 400
const ATTEMPTS = 10

export type Making = { readonly nodes: readonly SwarmNode[]; readonly deadlineMs: number }

/** What a service is made of by its spec. Raises `usage` for a node that is not in the Swarm. */
export function makeService(
  { settings }: Pick<Engine, 'settings'>,
  spec: ServiceSpec,
  { nodes, deadlineMs }: Making,
): MadeService {
  const excluded = listOtherMembers(settings.fleet, { nodes, wanted: spec.nodes })
  const loadSeconds = Math.ceil(deadlineMs / 1000)
  return { spec, content: renderService(spec, { settings, excluded, loadSeconds }) }
}

/** Writes a service, byte by byte of what it is made of: tasks that are made of the same stay. Raises `remote`, `locked`. */
export async function applyService(
  engine: Engine,
  { spec, content }: MadeService,
  { nodes, signal }: { readonly nodes: readonly SwarmNode[]; readonly signal: AbortSignal },
): Promise<void> {
  await Promise.all([
    prepareNetwork(engine, signal),
    prepareMembers(engine, { nodes, wanted: spec.nodes }, signal),
  ])
  await deploy(engine, spec, { made: content, signal })
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
    const [fence, [current]] = await Promise.all([
      readFence(engine, signal),
      readServices(manager, [swarmServiceName(fleet, spec.name)], signal),
    ])
    const { number } = fence
    if (current && number < current.fence && number > 0) throw refuse(spec.name, current.fence, number)
    if (current && isImageForeign(current)) await manager.read(forgetImage(current.id), { signal, fence })
    const stdin = renderStack(spec, made, { fleet, fence: number || (current?.fence ?? 0) })
    const result = await manager.run(deployStack(fleet), { signal, stdin, fence })
    if (result.code === 0) return
    const isRace = /out of sequence|already exists|name conflicts/i.test(result.stderr)
    if (!isRace || attempt === ATTEMPTS) throw describeFailure(deployStack(fleet), result)
    await pause(PAUSE_MS * attempt * Math.random(), signal)
  }
}

function isImageForeign({ made, content }: SwarmService): boolean {
  return made !== null && made.image !== content?.image
}

function refuse(service: string, found: number, own: number): LongshoreError {
  return new LongshoreError(
    'locked',
    `${service} was changed under a newer lock (${found}) than that of this run (${own})`,
    { hint: 'another operator took over; status.mjs shows where the fleet stands' },
  )
}
