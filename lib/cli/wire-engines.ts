import type { Profile } from '../config/schema.ts'
import { listImages } from '../flows/blueprint.ts'
import type { Context } from '../flows/context.ts'

/** What an engine brings. */
export type Engine = Pick<
  Context,
  | 'transport'
  | 'mender'
  | 'orchestrator'
  | 'publishing'
  | 'stack'
  | 'state'
  | 'surroundings'
  | 'shell'
  | 'workplace'
>
type EngineParts = Pick<Context, 'reporter' | 'signal'>

/** The engine that a profile names. */
export async function createEngine(profile: Profile, parts: EngineParts): Promise<Engine> {
  return await (profile.engine === 'swarm' ? createSwarm(profile, parts) : createLocal(profile))
}

/** Child processes of this machine, and files that remember them. */
async function createLocal({ state, update }: Profile): Promise<Engine> {
  const [transport, stateStore, orchestrators, publishing, stack, surroundings] = await Promise.all([
    import('../adapters/local/transport.ts'),
    import('../adapters/local/state-store.ts'),
    import('../adapters/local/orchestrator.ts'),
    import('../adapters/local/port-check.ts'),
    import('../adapters/local/stack.ts'),
    import('../adapters/local/surroundings.ts'),
  ])
  const orchestrator = orchestrators.createLocalOrchestrator({ state })
  const local = transport.createLocalTransport({ state })
  return {
    transport: local,
    mender: local,
    state: stateStore.createLocalStateStore({ state, leaseSeconds: update.leaseSeconds }),
    orchestrator,
    publishing: publishing.createLocalPublishing(),
    stack: stack.createLocalStack(orchestrator),
    surroundings: surroundings.createLocalSurroundings(),
  }
}

/** A Swarm behind SSH, which remembers for itself. */
async function createSwarm(profile: Profile, { signal, reporter }: EngineParts): Promise<Engine> {
  const { name, nodes, ssh, swarm, update } = profile
  const [shells, deliveries, store, engines, surroundings] = await Promise.all([
    import('../adapters/ssh/shell.ts'),
    import('../adapters/relay/delivery.ts'),
    import('../adapters/generations/store.ts'),
    import('../adapters/swarm/engine.ts'),
    import('../adapters/swarm/surroundings.ts'),
  ])
  const agent = process.env.SSH_AUTH_SOCK
  const { managers = [], image = '', dataDirectory } = swarm
  const shell = shells.createSshShell({
    nodes: nodes.map(({ host = '', ...node }) => ({ ...node, host })),
    ...(ssh.identityFile !== undefined && { identityFile: ssh.identityFile }),
    ...(agent && { agent }),
    knownHostsFile: ssh.knownHostsFile,
    connectTimeoutMs: 1000 * ssh.connectSeconds,
    keepAliveMs: 1000 * ssh.keepAliveSeconds,
    maxStarting: ssh.maxStarting,
    maxChannels: ssh.maxChannels,
  })
  const transport = deliveries.createDelivery({
    ...profile.delivery,
    ...{ shell, nodes, image, fleet: name, directory: dataDirectory },
    generations: store.createGenerationStore(profile.generations),
    operationTimeoutMs: 1000 * ssh.operationSeconds,
    note: (message) => reporter.note(message),
  })
  const stack = { ...swarm, fleet: name, image, entry: 'services/main.ts' }
  const { leaseSeconds } = update
  const engine = engines.createSwarmEngine({
    ...{ shell, transport, managers, stack, leaseSeconds, signal },
    isSpread: profile.delivery.scope === 'targeted',
  })
  return {
    shell,
    surroundings: surroundings.createSwarmSurroundings({
      ...{ ...profile, shell, transport, managers, stack },
      images: image === '' ? [image] : listImages(profile),
    }),
    ...engine,
    mender: engine.transport,
  }
}
