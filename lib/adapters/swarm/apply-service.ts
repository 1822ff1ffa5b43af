import { LongshoreError } from '../../domain/errors.ts'
import type { MadeService } from '../../domain/made-service.ts'
import type { ServiceSpec } from '../../domain/service.ts'
import type { SwarmNode, SwarmService } from '../../domain/swarm-inspect.ts'
import { gateLabel } from '../../domain/swarm-names.ts'
import { renderService, renderStack, type StackService } from '../../domain/swarm-stack.ts'
import { pause } from '../process/pause.ts'
import { createNetwork, deployStack, forgetImage, listNetworks } from './docker-argv.ts'
import { describeFailure } from './docker-client.ts'
import { type Engine, readFence, readService } from './engine-parts.ts'
import type { Fence } from './fence.ts'
import { listOtherMembers, prepareMembers } from './node-labels.ts'
import type { FleetView } from './read-fleet.ts'

const PAUSE_MS = 400
const ATTEMPTS = 10

export type Making = { readonly nodes: readonly SwarmNode[]; readonly deadlineMs: number }

/** What a service is made of by its spec. Raises `usage` for a node that is not in the Swarm. */
export function makeService(
  { settings }: Pick<Engine, 'settings'>,
  spec: ServiceSpec,
  { nodes, deadlineMs }: Making,
): MadeService {
  const { fleet } = settings
  // A fleet of many nodes would be a long list for each of many shards.
  const gates = spec.isSpread ? spec.generations.map((one) => gateLabel(fleet, spec, one).key) : []
  const excluded = listOtherMembers(fleet, { nodes, wanted: spec.nodes }, gates)
  const loadSeconds = Math.ceil(deadlineMs / 1000)
  return { spec, content: renderService(spec, { settings, excluded, loadSeconds }) }
}

/** What a service is written over, and under which lock. */
export type Standing = { readonly fence: Fence; readonly view: FleetView }

/** A service as it stands, and the lock as it is now. Raises `remote`, and `locked` when the lock was lost. */
export async function readStanding(engine: Engine, name: string, signal: AbortSignal): Promise<Standing> {
  const [fence, view] = await Promise.all([readFence(engine, signal), readService(engine, name, signal)])
  return { fence, view }
}

/** Writes a service, byte by byte of what it is made of: tasks that are made of the same stay. Raises `remote`, `locked`. */
export async function applyService(
  engine: Engine,
  { spec, content }: MadeService,
  { standing, signal }: { readonly standing: Standing; readonly signal: AbortSignal },
): Promise<void> {
  const { services, nodes } = standing.view
  await Promise.all([
    // The network of a service cannot be removed.
    services.length === 0 && prepareNetwork(engine, signal),
    prepareMembers(engine, { nodes, wanted: spec.nodes }, signal),
  ])
  await deploy(engine, spec, { made: content, standing, signal })
}

/** Two operators whose services share the Swarm may both make it. */
async function prepareNetwork({ manager, settings: { fleet } }: Engine, signal: AbortSignal): Promise<void> {
  if ((await manager.read(listNetworks(fleet), { signal })).trim() !== '') return
  const result = await manager.run(createNetwork(fleet), { signal })
  if (result.code !== 0 && !/already exists|name conflicts/i.test(result.stderr)) {
    throw describeFailure(createNetwork(fleet), result)
  }
}

type Writing = { readonly made: StackService; readonly standing: Standing; readonly signal: AbortSignal }

/** Writes the service whole. The Swarm refuses it when the service changed since docker read it: then all is looked at again. */
async function deploy(engine: Engine, spec: ServiceSpec, writing: Writing): Promise<void> {
  const { manager, settings } = engine
  const { fleet } = settings
  const { made, signal } = writing
  let { standing } = writing
  for (let attempt = 1; ; attempt++) {
    const { fence, view } = standing
    const [current] = view.services
    const { number } = fence
    if (current && number < current.fence && number > 0) throw refuse(spec.name, current.fence, number)
    if (current && isImageForeign(current)) await manager.read(forgetImage(current.id), { signal, fence })
    const stdin = renderStack(spec, made, { fleet, fence: number || (current?.fence ?? 0) })
    const result = await manager.run(deployStack(fleet), { signal, stdin, fence })
    if (result.code === 0) return
    const isRace = /out of sequence|already exists|name conflicts/i.test(result.stderr)
    if (!isRace || attempt === ATTEMPTS) throw describeFailure(deployStack(fleet), result)
    await pause(PAUSE_MS * attempt * Math.random(), signal)
    standing = await readStanding(engine, spec.name, signal)
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
