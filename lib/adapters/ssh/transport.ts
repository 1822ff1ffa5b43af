import { randomBytes } from 'node:crypto'
import { isAbsolute, normalize } from 'node:path/posix'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { HeldCopy } from '../../domain/fleet.ts'
import { compareGenerations, isGenerationName } from '../../domain/generation.ts'
import { MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'
import { parseManifest } from '../../domain/parse-manifest.ts'
import { findClusters, selectFiles } from '../../domain/portions.ts'
import type { Mender } from '../../ports/mender.ts'
import type { RemoteShell } from '../../ports/remote-shell.ts'
import type { DeliverOptions, NodeFacts, Transport } from '../../ports/transport.ts'
import { deliverFiles } from './delivery.ts'
import { findProblem, readHeld } from './held-files.ts'
import { mendFiles } from './mend.ts'
import { prepareDirectory } from './partial.ts'
import { adoptFiles, publishHeld } from './publish.ts'
import { allowMs, type Place, runScript } from './run-script.ts'
import { INSPECT, REMOVE } from './scripts.ts'

export type SshTransportSettings = {
  readonly shell: RemoteShell
  /** Every node with the absolute path of the directory that holds its generations. */
  readonly nodes: readonly { readonly name: string; readonly directory: string }[]
  /** How long a node may do nothing that we can see, besides reading and writing files, in milliseconds. */
  readonly operationTimeoutMs: number
  /** Files of one generation that are on the way to one node at the same time. */
  readonly filesAtOnce?: number
  /** Resolves when so many bytes may leave for a node; at once where left out. */
  readonly pace?: (node: string, bytes: number, signal: AbortSignal) => Promise<void>
}

/** What relays need of a node besides what a transport does: to begin, and to end, what they bring. */
export type SshTransport = Transport &
  Mender & {
    /** Whether the node holds what it shall of this very generation, every byte read back from its disk. */
    holds(node: string, manifest: Manifest, options: PortionOptions): Promise<boolean>
    /** Makes the directory beside the final name, and tells where the node keeps generations. */
    prepare(node: string, manifest: Manifest, options: PortionOptions): Promise<string>
    /** Gives the final name to what lies whole beside it, and has been verified. */
    publish(node: string, manifest: Manifest, options: PortionOptions): Promise<void>
    /**
     * Makes the generation of another one of the same content that the node holds; false where that is not sound there,
     * every byte read back from its disk.
     */
    adopt(node: string, other: string, manifest: Manifest, options: PortionOptions): Promise<boolean>
  }

type PortionOptions = Pick<DeliverOptions, 'signal' | 'clusters'>

/**
 * Carries generations to machines that have sshd and coreutils. Closing it closes the shell. Raises `usage` for a
 * directory that is not absolute.
 */
export function createSshTransport(settings: SshTransportSettings): SshTransport {
  const { shell, operationTimeoutMs, filesAtOnce = 4, pace = async () => undefined } = settings
  const homes = new Map(settings.nodes.map(({ name, directory }) => [name, checkDirectory(directory)]))
  const locate = (node: string): Place => {
    const home = homes.get(node)
    if (home !== undefined) return { node, home, shell, operationTimeoutMs }
    throw new LongshoreError('usage', `there is no node ${node} in the profile`)
  }
  const deliver = async (node: string, from: string, manifest: Manifest, options: DeliverOptions) => {
    const { signal, clusters, onBytes, onSent, onMilestone } = options
    const place = locateFor(locate(node), manifest.generation)
    if ((await findProblem(place, manifest, signal, clusters)) === undefined) return 0
    onMilestone?.('started')
    const files = selectFiles(manifest, clusters)
    const sent = await deliverFiles({
      ...{ place, manifest, files, from, run: nameRun(), filesAtOnce, signal },
      pace: (bytes) => pace(node, bytes, signal),
      onMilestone,
      onBytes(bytes) {
        if (bytes > 0) onMilestone?.('firstByte')
        onBytes?.(bytes)
        onSent?.(bytes)
      },
    })
    onMilestone?.('published')
    return sent
  }
  return {
    inspect: async (node, signal) => inspectNode(locate(node), signal),
    deliver,
    async holds(node, manifest, { signal, clusters }) {
      const place = locateFor(locate(node), manifest.generation)
      return (await findProblem(place, manifest, signal, clusters)) === undefined
    },
    async prepare(node, manifest, { signal, clusters }) {
      const place = locateFor(locate(node), manifest.generation)
      await prepareDirectory({ place, manifest, files: selectFiles(manifest, clusters), signal })
      return place.home
    },
    async publish(node, manifest, { signal, clusters }) {
      const place = locateFor(locate(node), manifest.generation)
      await publishHeld({ place, manifest, files: selectFiles(manifest, clusters), run: nameRun(), signal })
    },
    async adopt(node, other, manifest, { signal, clusters }) {
      const place = locateFor(locateFor(locate(node), manifest.generation), other)
      return adoptFiles(
        { place, manifest, files: selectFiles(manifest, clusters), run: nameRun(), signal },
        other,
      )
    },
    async readManifest(node, generation, signal) {
      const held = await readHeld(locateFor(locate(node), generation), generation, signal)
      if ('problem' in held) throw new LongshoreError('not-found', `${node}: ${generation} ${held.problem}`)
      if (held.manifest?.generation === generation) return held.manifest
      throw new LongshoreError('corrupt', `${node}: ${generation} has no sound ${MANIFEST_FILE}`)
    },
    async mend(node, manifest, { peers, directory, clusters, signal, onBytes = () => undefined }) {
      const place = locateFor(locate(node), manifest.generation)
      const files = selectFiles(manifest, clusters)
      await mendFiles({ place, manifest, files, peers: peers.map(locate), directory, signal, onBytes })
    },
    async verify(node, manifest, signal, clusters) {
      const found = await findProblem(
        locateFor(locate(node), manifest.generation),
        manifest,
        signal,
        clusters,
      )
      if (!found) return
      const kind = found.isThere ? 'corrupt' : 'not-found'
      throw new LongshoreError(kind, `${node}: ${manifest.generation} ${found.problem}`, {
        hint: `deliver ${manifest.generation} again`,
      })
    },
    async remove(node, generation, signal) {
      const place = locateFor(locate(node), generation)
      const aside = `${place.home}/.${generation}.removed-${nameRun()}`
      const options = { signal, timeoutMs: allowMs(place, 0) }
      await runScript(place, REMOVE, [place.home, generation, aside], options)
    },
    close: () => shell.close(),
  }
}

function checkDirectory(directory: string): string {
  const normal = normalize(directory).replace(/\/$/, '')
  if (isAbsolute(directory) && normal !== '') return normal
  throw new LongshoreError('usage', `"${directory}" is no directory that nodes can keep generations in`, {
    hint: 'give an absolute path, for example /var/lib/longshore',
  })
}

/** Refuses names that would lead out of the node's directory. */
function locateFor(place: Place, generation: string): Place {
  if (isGenerationName(generation)) return place
  throw new LongshoreError('usage', `${generation} leads out of ${place.home}`)
}

function nameRun(): string {
  return randomBytes(4).toString('hex')
}

async function inspectNode(place: Place, signal: AbortSignal): Promise<NodeFacts> {
  const name = place.node
  try {
    const options = { signal, timeoutMs: allowMs(place, 0) }
    const { stdout } = await runScript(place, INSPECT, [place.home], options)
    const [free, memory, ...lines] = stdout.split('\n')
    const shards = listShards(lines)
    const generations = lines
      .flatMap((line) => parseHeld(line, shards))
      .sort((a, b) => compareGenerations(a.name, b.name))
    return {
      name,
      reachable: true,
      freeBytes: Number(free),
      memoryBytes: Number(memory),
      generations,
      taken: sumTaken(lines),
      inPieces: lines.flatMap((line) => /^pieces\t\.(dg_\d+)\.partial$/.exec(line)?.[1] ?? []),
    }
  } catch (error) {
    if (signal.aborted) throw error
    return {
      name,
      reachable: false,
      problem: messageOf(error),
      ...(error instanceof LongshoreError && error.hint !== undefined && { hint: error.hint }),
      freeBytes: 0,
      memoryBytes: 0,
      generations: [],
    }
  }
}

/** What takes room, by the generation that it is of: `4096\t.dg_8.partial` is of dg_8. */
function sumTaken(lines: readonly string[]): Record<string, number> {
  const taken: Record<string, number> = {}
  for (const line of lines) {
    const [, bytes, name] = /^(\d+)\t\.?(dg_\d+)/.exec(line) ?? []
    if (name !== undefined && isGenerationName(name)) taken[name] = (taken[name] ?? 0) + Number(bytes)
  }
  return taken
}

/** A generation by its name and its manifest on one line; a manifest that cannot be read has no digest. */
function parseHeld(line: string, shards: ReadonlyMap<string, ReadonlySet<string>>): HeldCopy[] {
  const [, name = '', text = ''] = /^(\S+) (.*)$/.exec(line) ?? []
  if (!isGenerationName(name)) return []
  const manifest = parseSoundly(text)
  if (manifest?.generation !== name) return [{ name, digest: null }]
  const clusters = findClusters(manifest, shards.get(name) ?? new Set())
  return [{ name, digest: manifest.digest, ...(clusters && { clusters }) }]
}

/** Names of the directories of shards, by the generation that they are of. */
function listShards(lines: readonly string[]): Map<string, Set<string>> {
  const shards = new Map<string, Set<string>>()
  for (const line of lines) {
    const [, generation, name] = /^shard\t(dg_\d+)\/(clust_\d+)$/.exec(line) ?? []
    if (generation === undefined || name === undefined) continue
    shards.set(generation, (shards.get(generation) ?? new Set()).add(name))
  }
  return shards
}

function parseSoundly(text: string): Manifest | null {
  try {
    return parseManifest(text, MANIFEST_FILE)
  } catch (error) {
    if (error instanceof LongshoreError) return null
    throw error
  }
}
