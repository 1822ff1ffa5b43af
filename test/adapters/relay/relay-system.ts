import { join } from 'node:path'
import { createPace } from '../../../lib/adapters/relay/pace.ts'
import { createRelayTransport, type RelayTransportSettings } from '../../../lib/adapters/relay/transport.ts'
import { createSshTransport, type SshTransport } from '../../../lib/adapters/ssh/transport.ts'
import { type DeliveryRates, UNLIMITED } from '../../../lib/domain/delivery-rates.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { Manifest } from '../../../lib/domain/manifest.ts'
import type { Route } from '../../../lib/domain/route.ts'
import type { Mender } from '../../../lib/ports/mender.ts'
import type { Milestone, Transport } from '../../../lib/ports/transport.ts'
import { createProcessShell, type ProcessShell } from '../../support/process-shell.ts'
import { makeTempDir } from '../../support/temp.ts'

const IMAGE = 'longshore:test'

/** What one delivery to one node has told. */
export type Told = { arrived: number; sent: number; saved: number; milestones: Milestone[] }

export type RelaySystem = {
  readonly shell: ProcessShell
  readonly transport: Transport & Mender
  readonly notes: string[]
  home(node: string): string
  /** Delivers to all of the nodes at once; what came of each, and what was told meanwhile. */
  deliver(
    nodes: readonly string[],
    source: { readonly directory: string; readonly manifest: Manifest },
    options?: {
      signal?: AbortSignal
      route?: Route
      /** Ids of the clusters whose shards a node shall hold. */
      clusters?: Readonly<Record<string, readonly number[]>>
      onBytes?: (node: string, told: Told) => void
    },
  ): Promise<Map<string, { readonly result: PromiseSettledResult<number>; readonly told: Told }>>
}

export type SystemOptions = Partial<
  Pick<RelayTransportSettings, 'generations' | 'makePatch' | 'stallMs' | 'pieceBytes'>
> & {
  readonly root?: string
  readonly rates?: DeliveryRates
  readonly operationTimeoutMs?: number
  /** What a node tells of its room, where that is not the truth. */
  readonly freeBytes?: (node: string) => number
}

/** A command with nodes that are directories of this machine, and relays that are processes of it. */
export function startRelaySystem(options: SystemOptions = {}): RelaySystem {
  const root = options.root ?? makeTempDir()
  const home = (node: string) => join(root, node)
  const shell = createProcessShell(IMAGE)
  const notes: string[] = []
  const pace = createPace(() => options.rates ?? UNLIMITED)
  const { freeBytes } = options
  const ssh = createSshTransport({
    shell,
    nodes: ['n1', 'n2', 'n3', 'n4'].map((name) => ({ name, directory: home(name) })),
    operationTimeoutMs: options.operationTimeoutMs ?? 10_000,
    pace,
  })
  const inner: SshTransport = {
    ...ssh,
    async inspect(node, signal) {
      const facts = await ssh.inspect(node, signal)
      return freeBytes ? { ...facts, freeBytes: freeBytes(node) } : facts
    },
  }
  const transport = createRelayTransport({
    inner,
    shell,
    pace,
    fleet: 'test',
    image: IMAGE,
    run: 'run',
    port: 0,
    pieceBytes: options.pieceBytes ?? 16 * 1024,
    homeOf: home,
    hostOf: () => '127.0.0.1',
    stallMs: options.stallMs ?? 10_000,
    readRates: () => options.rates ?? UNLIMITED,
    generations: options.generations ?? { read: missing, locate: (name) => name },
    makePatch: options.makePatch ?? (async () => undefined),
    note: (message) => notes.push(message),
  })
  const deliver: RelaySystem['deliver'] = async (nodes, { directory, manifest }, how = {}) => {
    const { signal = new AbortController().signal, route = { via: 'relay' }, clusters, onBytes } = how
    const all = await Promise.all(
      nodes.map(async (node) => {
        const told: Told = { arrived: 0, sent: 0, saved: 0, milestones: [] }
        const [result] = await Promise.allSettled([
          transport.deliver(node, directory, manifest, {
            signal,
            route,
            ...(clusters && { clusters: clusters[node]! }),
            onBytes(bytes) {
              told.arrived += bytes
              onBytes?.(node, told)
            },
            onSent(bytes) {
              told.sent += bytes
            },
            onSaved(bytes) {
              told.saved += bytes
            },
            onMilestone(milestone) {
              if (!told.milestones.includes(milestone)) told.milestones.push(milestone)
            },
          }),
        ])
        return [node, { result, told }] as const
      }),
    )
    return new Map(all)
  }
  return { shell, transport, notes, home, deliver }
}

async function missing(name: string): Promise<never> {
  throw new LongshoreError('not-found', `there is no ${name}`)
}
