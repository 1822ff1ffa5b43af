import { messageOf } from '../../domain/errors.ts'
import type { GenerationRef } from '../../domain/generation.ts'
import { computeContentDigest, countBytes, type Manifest } from '../../domain/manifest.ts'
import { selectFiles } from '../../domain/portions.ts'
import type { Mender } from '../../ports/mender.ts'
import type { DeliverOptions, Transport } from '../../ports/transport.ts'
import { isFullDisk } from '../generations/disk-error.ts'
import { createLimit } from '../ssh/limit.ts'
import type { SshTransport } from '../ssh/transport.ts'
import { type Patch, Patches, type PatchSettings } from './patches.ts'
import { PieceSource } from './piece-source.ts'
import { ReadyRelays } from './ready-relays.ts'
import { RelaySession, type SessionSettings } from './session.ts'
import { RelayProblem, type RelaySettings } from './start-relay.ts'

export type RelayTransportSettings = Omit<SessionSettings, 'relays'> &
  RelaySettings &
  PatchSettings & {
    /** Absolute path of the directory that a node keeps generations in. */
    readonly homeOf: (node: string) => string
    /** What brings generations where relays cannot, and publishes what they have brought. */
    readonly inner: SshTransport
    readonly pieceBytes: number
    /** Hears why something is done otherwise than planned. */
    readonly note: (message: string) => void
  }

/** Nodes that are sent to directly at the same time. */
const DIRECT_AT_ONCE = 16

/** One generation on its way to one node. */
type Errand = {
  readonly node: string
  readonly from: string
  readonly manifest: Manifest
  /** Where the node keeps generations. */
  readonly home: string
  readonly options: DeliverOptions
}

/**
 * A transport whose nodes pass what they get on to each other, all that are delivered to at the same time. Where relays
 * are of no use it works as `inner`.
 */
export function createRelayTransport(settings: RelayTransportSettings): Transport & Mender {
  const { inner, note } = settings
  const relays = new ReadyRelays(settings)
  const sessions = createSessions({ ...settings, relays })
  const patches = new Patches(settings)
  const directly = createLimit(DIRECT_AT_ONCE)
  const parts: Parts = {
    ...{ patches, sessions, note },
    findShortage: (errand, patch) => findShortage(inner, errand, patch),
  }
  const bring = async (errand: Errand): Promise<void> => {
    const { base } = errand.options.route ?? {}
    const isMade = base !== undefined && (await bringDifferences(errand, base, parts))
    if (!isMade) await sessions.join(errand)
    const { node, manifest, options } = errand
    await inner.publish(node, manifest, options)
    options.onMilestone?.('published')
  }
  return {
    inspect: (...args) => inner.inspect(...args),
    verify: (...args) => inner.verify(...args),
    readManifest: (...args) => inner.readManifest(...args),
    mend: (...args) => directly(() => inner.mend(...args)),
    remove: (...args) => inner.remove(...args),
    expect(nodes) {
      for (const node of nodes) relays.start({ node, directory: settings.homeOf(node) })
    },
    async deliver(node, from, manifest, options) {
      const { route, signal } = options
      if (route?.via !== 'relay') return await directly(() => inner.deliver(node, from, manifest, options))
      if (await inner.holds(node, manifest, options)) return 0
      if (await adoptBase({ inner, patches }, node, manifest, options)) return 0
      const home = await inner.prepare(node, manifest, options)
      const counted = countArrived(options)
      try {
        await bring({ node, from, manifest, home, options: counted.options })
        return counted.arrived()
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof RelayProblem)) throw error
        note(`${node}: no relay (${messageOf(error)}); it is sent to directly`)
        const sent = await directly(() => inner.deliver(node, from, manifest, options))
        return counted.arrived() + sent
      }
    },
    async close() {
      await relays.close()
      await patches.remove()
      await inner.close()
    },
  }
}

/** Where only the name differs from the base, the node has it all, and nobody needs a relay. */
async function adoptBase(
  { inner, patches }: Pick<Parts, 'patches'> & Pick<RelayTransportSettings, 'inner'>,
  node: string,
  manifest: Manifest,
  options: DeliverOptions,
): Promise<boolean> {
  const { route, onMilestone, onSaved } = options
  const base = route?.base && (await patches.readBase(route.base))
  if (!base || computeContentDigest(base) !== computeContentDigest(manifest)) return false
  onMilestone?.('started')
  if (!(await inner.adopt(node, base.generation, manifest, options))) return false
  onSaved?.(countBytes({ files: selectFiles(manifest, options.clusters) }))
  onMilestone?.('published')
  return true
}

type Parts = {
  readonly patches: Patches
  readonly sessions: Sessions
  readonly note: (message: string) => void
  readonly findShortage: (errand: Errand, patch: Patch) => Promise<string | undefined>
}

/** What lacks where the patch and the files that are made with it, which lie side by side for a while, do not fit on a node. */
async function findShortage(
  inner: SshTransport,
  { node, manifest, options }: Errand,
  patch: Patch,
): Promise<string | undefined> {
  const { freeBytes, generations, taken } = await inner.inspect(node, options.signal)
  const { generation } = manifest
  const begun = generations.some(({ name }) => name === generation) ? 0 : (taken?.[generation] ?? 0)
  const files = selectFiles(manifest, options.clusters)
  const needed = patch.file.bytes + Math.max(0, countBytes({ files }) - begun)
  return needed > freeBytes ? `${needed} bytes are needed, ${freeBytes} are free` : undefined
}

/** Makes the generation on the node of what it holds and a patch; false where something of it has to be sent whole. */
async function bringDifferences(errand: Errand, base: GenerationRef, parts: Parts): Promise<boolean> {
  const { node, from, manifest, options } = errand
  const patch = await parts.patches.get(from, manifest, base, options.signal).catch((error: unknown) => {
    if (!isFullDisk(error)) throw error
    parts.note(
      `${node}: what differs from ${base.name} cannot be written here (${messageOf(error)}); it is sent whole`,
    )
    return undefined
  })
  if (!patch) return false
  const missing = await parts.findShortage(errand, patch)
  if (missing !== undefined) {
    parts.note(
      `${node}: it has no room for what differs from ${base.name} besides (${missing}); it is sent whole`,
    )
    return false
  }
  const rebuilt = await parts.sessions.rebuild(errand, base, patch)
  const wrong = rebuilt.filter(({ problem }) => problem !== null)
  const bytes = new Map(manifest.files.map((file) => [file.path, file.bytes]))
  const made = rebuilt.filter(({ problem }) => problem === null)
  const madeBytes = made.reduce((sum, { path }) => sum + (bytes.get(path) ?? 0), 0)
  options.onSaved?.(Math.max(0, madeBytes - patch.file.bytes))
  const [first] = wrong
  if (!first) return true
  parts.note(
    `${node}: ${wrong.length} files cannot be made of ${base.name} and are sent whole (${first.path}: ${first.problem})`,
  )
  return false
}

type Sessions = ReturnType<typeof createSessions>

/** Sessions under way, one for each set of files. */
function createSessions(settings: SessionSettings & Pick<RelayTransportSettings, 'pieceBytes'>) {
  const running = new Map<string, RelaySession>()
  const find = (key: string, generation: string, open: () => PieceSource): RelaySession => {
    const existing = running.get(key)
    if (existing && !existing.isOver) return existing
    const session = new RelaySession(settings, generation, open())
    running.set(key, session)
    return session
  }
  return {
    /** Resolves when all files of the generation are whole beside its final name. */
    async join({ node, from, manifest, home, options }: Errand): Promise<void> {
      const session = find(manifest.digest, manifest.generation, () => {
        return new PieceSource(from, manifest.files, settings.pieceBytes)
      })
      await session.join({ ...options, node, directory: home })
    },
    /** Resolves to what came of each file, when the node has tried to make it. */
    async rebuild({ node, manifest, home, options }: Errand, base: GenerationRef, patch: Patch) {
      const session = find(`${base.digest} ${manifest.digest}`, manifest.generation, () => {
        return new PieceSource(patch.directory, [patch.file], settings.pieceBytes)
      })
      const rebuild = { base: base.name, patch: patch.file.path, manifest }
      const rebuilt = await session.join({ ...options, node, directory: home, rebuild })
      // A second relay may be needed, which writes to the same place.
      if (rebuilt.some(({ problem }) => problem !== null)) await session.quit(node)
      return rebuilt
    },
  }
}

function countArrived(options: DeliverOptions): { options: DeliverOptions; arrived: () => number } {
  let arrived = 0
  const onBytes = (bytes: number) => {
    arrived += bytes
    options.onBytes?.(bytes)
  }
  return { options: { ...options, onBytes }, arrived: () => arrived }
}
