import { setImmediate as turn } from 'node:timers/promises'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import { compareGenerations } from '../../../lib/domain/generation.ts'
import { countBytes, type Manifest } from '../../../lib/domain/manifest.ts'
import { selectFiles } from '../../../lib/domain/portions.ts'
import type { Route } from '../../../lib/domain/route.ts'
import type { Mender, MendOptions } from '../../../lib/ports/mender.ts'
import type { DeliverOptions, NodeFacts, Transport } from '../../../lib/ports/transport.ts'

export type TransportCall = {
  readonly method: keyof (Transport & Mender)
  readonly node: string
  readonly generation?: string
}

type FakeCopy = {
  readonly manifest: Manifest
  readonly damaged: Set<string>
  /** Those of its shards that are there; all where left out. */
  readonly clusters?: readonly number[]
}

type FakeNode = {
  reachable: boolean
  freeBytes: number
  memoryBytes: number
  /** Held generations by name, with the paths that no longer fit their manifest. */
  readonly held: Map<string, FakeCopy>
  /** Paths that have arrived of a generation that is not whole, by `name@digest`. */
  readonly partial: Map<string, Set<string>>
}

/** Nodes in memory. Every file of a manifest arrives whole, one a turn of the event loop. */
export class FakeTransport implements Transport, Mender {
  readonly nodes = new Map<string, FakeNode>()
  readonly calls: TransportCall[] = []
  /** By which way each node was last delivered to. */
  readonly routes = new Map<string, Route | undefined>()
  /** Paths `<directory>/<file>` that do not hold what their manifest says. */
  readonly damagedSources = new Set<string>()
  /** The error that a call shall raise, if any. */
  failOn: (call: TransportCall) => Error | undefined = () => undefined

  constructor(names: readonly string[]) {
    for (const name of names) this.addNode(name)
  }

  addNode(name: string): void {
    this.nodes.set(name, makeNode())
  }

  /** The fake's own state of a node, for tests to read and to bend. */
  node(name: string): FakeNode {
    const node = this.nodes.get(name)
    if (!node) throw new LongshoreError('usage', `there is no node ${name}`)
    return node
  }

  /** Puts a generation on nodes without a delivery. */
  hold(manifest: Manifest, names: Iterable<string> = this.nodes.keys()): void {
    for (const name of names) {
      this.node(name).held.set(manifest.generation, { manifest, damaged: new Set() })
    }
  }

  async inspect(name: string, signal: AbortSignal): Promise<NodeFacts> {
    signal.throwIfAborted()
    const failure = this.record({ method: 'inspect', node: name })
    const { held, reachable, freeBytes, memoryBytes } = this.node(name)
    if (failure || !reachable) {
      const problem = failure?.message ?? `${name} does not answer`
      return { name, reachable: false, problem, freeBytes: 0, memoryBytes: 0, generations: [] }
    }
    const generations = [...held.keys()].sort(compareGenerations).map((generation) => {
      const { manifest, damaged, clusters } = held.get(generation)!
      const isAll = clusters === undefined || clusters.length === manifest.clusters.length
      return {
        name: generation,
        digest: damaged.has('manifest.json') ? null : manifest.digest,
        ...(!isAll && { clusters }),
      }
    })
    return { name, reachable, freeBytes, memoryBytes, generations, taken: this.measureTaken(name) }
  }

  async deliver(
    name: string,
    directory: string,
    manifest: Manifest,
    options: DeliverOptions,
  ): Promise<number> {
    const { signal, clusters, onBytes, onSent, onMilestone } = options
    const node = this.begin({ method: 'deliver', node: name, generation: manifest.generation }, signal)
    const held = node.held.get(manifest.generation)
    const isSame = held?.manifest.digest === manifest.digest && held.damaged.size === 0
    const own = isSame ? selectFiles(manifest, held.clusters) : []
    const files = selectFiles(manifest, clusters).filter((file) => !own.includes(file))
    if (isSame && files.length === 0) return 0
    const key = `${manifest.generation}@${manifest.digest}`
    const arrived = node.partial.get(key) ?? new Set()
    const missing = files.filter((file) => !arrived.has(file.path))
    const needed = countBytes({ files: missing })
    if (needed > node.freeBytes) {
      throw new LongshoreError('remote', `${name} needs ${needed} bytes, but has ${node.freeBytes} free`)
    }
    node.partial.set(key, arrived)
    this.routes.set(name, options.route)
    onMilestone?.('started')
    for (const { path, bytes } of missing) {
      await turn()
      signal.throwIfAborted()
      if (this.damagedSources.has(`${directory}/${path}`)) {
        throw new LongshoreError(
          'corrupt',
          `${name}: ${manifest.generation}/${path} differs from the manifest`,
        )
      }
      arrived.add(path)
      node.freeBytes -= bytes
      onBytes?.(bytes)
      onSent?.(bytes)
    }
    node.held.set(manifest.generation, { manifest, damaged: new Set(), ...(clusters && { clusters }) })
    node.partial.delete(key)
    onMilestone?.('published')
    return needed
  }

  async readManifest(name: string, generation: string, signal: AbortSignal): Promise<Manifest> {
    const node = this.begin({ method: 'readManifest', node: name, generation }, signal)
    const held = node.held.get(generation)
    if (!held) throw new LongshoreError('not-found', `${name} does not hold ${generation}`)
    return held.manifest
  }

  async mend(name: string, manifest: Manifest, options: MendOptions): Promise<void> {
    const { signal, peers, directory, clusters, onBytes } = options
    const node = this.begin({ method: 'mend', node: name, generation: manifest.generation }, signal)
    const held = node.held.get(manifest.generation)
    const isSound = ({ damaged, manifest: { digest } }: FakeCopy, path: string) =>
      digest === manifest.digest && !damaged.has(path)
    for (const { path, bytes } of selectFiles(manifest, clusters)) {
      if (held && isSound(held, path)) continue
      const copies = peers.flatMap((peer) => this.node(peer).held.get(manifest.generation) ?? [])
      const isHere = directory !== undefined && !this.damagedSources.has(`${directory}/${path}`)
      if (!isHere && !copies.some((copy) => isSound(copy, path))) {
        throw new LongshoreError('corrupt', `${name}: no sound copy of ${manifest.generation}/${path}`)
      }
      onBytes?.(bytes)
    }
    node.held.set(manifest.generation, { manifest, damaged: new Set(), ...(clusters && { clusters }) })
  }

  async verify(
    name: string,
    manifest: Manifest,
    signal: AbortSignal,
    clusters?: readonly number[],
  ): Promise<void> {
    const node = this.begin({ method: 'verify', node: name, generation: manifest.generation }, signal)
    const held = node.held.get(manifest.generation)
    if (!held) throw new LongshoreError('not-found', `${name} does not hold ${manifest.generation}`)
    const [damaged] = held.damaged
    if (damaged) {
      throw new LongshoreError(
        'corrupt',
        `${name}: ${manifest.generation}/${damaged} differs from the manifest`,
      )
    }
    const lacking = selectFiles(manifest, clusters).filter(
      (file) => !selectFiles(manifest, held.clusters).includes(file),
    )
    if (lacking[0]) throw new LongshoreError('corrupt', `${name}: ${lacking[0].path} is missing`)
    if (held.manifest.digest !== manifest.digest) {
      throw new LongshoreError('corrupt', `${name}: ${manifest.generation} has another digest`)
    }
  }

  async remove(name: string, generation: string, signal: AbortSignal): Promise<void> {
    const node = this.begin({ method: 'remove', node: name, generation }, signal)
    const held = node.held.get(generation)
    if (held) node.freeBytes += countBytes(held.manifest)
    node.held.delete(generation)
    for (const key of node.partial.keys()) if (key.startsWith(`${generation}@`)) node.partial.delete(key)
  }

  async close(): Promise<void> {
    this.record({ method: 'close', node: '' })
  }

  private measureTaken(name: string): Record<string, number> {
    const { held, partial } = this.node(name)
    const taken: Record<string, number> = {}
    for (const [generation, { manifest }] of held) taken[generation] = countBytes(manifest)
    for (const [key, paths] of partial) {
      const generation = key.split('@')[0]!
      taken[generation] = (taken[generation] ?? 0) + paths.size
    }
    return taken
  }

  private begin(call: TransportCall, signal: AbortSignal): FakeNode {
    signal.throwIfAborted()
    const failure = this.record(call)
    if (failure) throw failure
    const node = this.node(call.node)
    if (!node.reachable) throw new LongshoreError('remote', `${call.node} does not answer`)
    return node
  }

  private record(call: TransportCall): Error | undefined {
    this.calls.push(call)
    return this.failOn(call)
  }
}

function makeNode(): FakeNode {
  return { reachable: true, freeBytes: 2 ** 40, memoryBytes: 2 ** 34, held: new Map(), partial: new Map() }
}
