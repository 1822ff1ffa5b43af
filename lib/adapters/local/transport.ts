import { lstat, readFile, rm } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { HeldCopy } from '../../domain/fleet.ts'
import { compareGenerations, isGenerationName } from '../../domain/generation.ts'
import { MANIFEST_FILE, type Manifest } from '../../domain/manifest.ts'
import { parseManifest } from '../../domain/parse-manifest.ts'
import { findClusters, selectFiles } from '../../domain/portions.ts'
import type { Mender, MendOptions } from '../../ports/mender.ts'
import type { DeliverOptions, NodeFacts, Transport } from '../../ports/transport.ts'
import { hasCode, syncDirectory } from '../files/durable-files.ts'
import { type Delivery, deliverFiles } from './delivery.ts'
import { copyFile, findFileProblem } from './file-copy.ts'
import {
  listDirectory,
  locateNode,
  measureTaken,
  publishDirectory,
  readFreeBytes,
  renameIfPresent,
  resolveInside,
} from './node-directory.ts'

export type LocalTransportSettings = {
  /** Directory of what the engine keeps; nodes are the directories below `nodes/`. */
  readonly state: string
  /** Bytes that may still be written below a directory. */
  readonly readFree?: (directory: string) => Promise<number>
  /** Copies one file of a generation. */
  readonly copy?: typeof copyFile
}

/** Carries generations to directories of this machine. */
export function createLocalTransport(settings: LocalTransportSettings): Transport & Mender {
  const { state, readFree = readFreeBytes, copy = copyFile } = settings
  const bring = async (
    node: string,
    manifest: Manifest,
    options: Pick<Delivery, 'from' | 'files' | 'signal' | 'onBytes'>,
  ) => {
    const home = locateNode(state, node)
    const partial = join(home, `.${manifest.generation}.partial`)
    const sent = await deliverFiles({ node, partial, manifest, readFree, copy, ...options })
    await publishDirectory(partial, resolveInside(home, manifest.generation))
    return sent
  }
  const deliver = async (node: string, directory: string, manifest: Manifest, options: DeliverOptions) => {
    const final = resolveInside(locateNode(state, node), manifest.generation)
    const { signal, clusters, onMilestone } = options
    const files = selectFiles(manifest, clusters)
    if ((await findProblem(final, { ...manifest, files }, signal)) === undefined) return 0
    const onBytes = (bytes: number) => {
      options.onBytes?.(bytes)
      options.onSent?.(bytes)
    }
    onMilestone?.('started')
    const sent = await bring(node, manifest, { from: [directory], files, signal, onBytes })
    onMilestone?.('published')
    return sent
  }
  const mend = async (node: string, manifest: Manifest, options: MendOptions) => {
    const { peers, directory, clusters, signal, onBytes = () => undefined } = options
    const copies = [node, ...peers].map((name) => resolveInside(locateNode(state, name), manifest.generation))
    const from = [...copies, ...(directory === undefined ? [] : [directory])]
    await bring(node, manifest, { from, files: selectFiles(manifest, clusters), signal, onBytes })
  }
  const verify = async (
    node: string,
    manifest: Manifest,
    signal: AbortSignal,
    clusters?: readonly number[],
  ) => {
    const final = resolveInside(locateNode(state, node), manifest.generation)
    const files = selectFiles(manifest, clusters)
    const problem = await findProblem(final, { ...manifest, files }, signal)
    if (problem === undefined) return
    const kind = problem === MISSING ? 'not-found' : 'corrupt'
    throw new LongshoreError(kind, `${node}: ${manifest.generation} ${problem}`, {
      hint: `deliver ${manifest.generation} again`,
    })
  }
  const remove = async (node: string, generation: string, signal: AbortSignal) => {
    signal.throwIfAborted()
    await removeGeneration(locateNode(state, node), generation)
  }
  return {
    inspect: (node, signal) => inspectNode(node, locateNode(state, node), readFree, signal),
    deliver: (node, ...args) => deliver(node, ...args).catch(blame(node)),
    verify: (node, ...args) => verify(node, ...args).catch(blame(node)),
    mend: (node, ...args) => mend(node, ...args).catch(blame(node)),
    async readManifest(node, generation) {
      const manifest = await readManifest(resolveInside(locateNode(state, node), generation))
      if (manifest?.generation === generation) return manifest
      throw new LongshoreError('not-found', `${node} has no sound ${MANIFEST_FILE} of ${generation}`)
    },
    remove: (node, ...args) => remove(node, ...args).catch(blame(node)),
    close: async () => undefined,
  }
}

/** Tells what the operating system refused as the failure of a node; anything else as it is. */
function blame(node: string): (error: unknown) => never {
  return (error) => {
    const isSystemError = error instanceof Error && 'syscall' in error
    throw isSystemError ? new LongshoreError('remote', `${node}: ${error.message}`, { cause: error }) : error
  }
}

const MISSING = 'is not there'

async function inspectNode(
  name: string,
  home: string,
  readFree: (directory: string) => Promise<number>,
  signal: AbortSignal,
): Promise<NodeFacts> {
  signal.throwIfAborted()
  try {
    const names = (await listDirectory(home)).filter(isGenerationName).sort(compareGenerations)
    const generations = await Promise.all(names.map((generation) => inspectGeneration(home, generation)))
    const memoryBytes = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
    const freeBytes = await readFree(home)
    return { name, reachable: true, freeBytes, memoryBytes, generations, taken: await measureTaken(home) }
  } catch (error) {
    const problem = messageOf(error)
    return { name, reachable: false, problem, freeBytes: 0, memoryBytes: 0, generations: [] }
  }
}

async function inspectGeneration(home: string, name: string): Promise<HeldCopy> {
  const manifest = await readManifest(join(home, name))
  if (manifest?.generation !== name) return { name, digest: null }
  const clusters = findClusters(manifest, new Set(await listDirectory(join(home, name))))
  return { name, digest: manifest.digest, ...(clusters && { clusters }) }
}

/** The manifest in a directory, or undefined when there is none that is whole. */
async function readManifest(directory: string): Promise<Manifest | undefined> {
  const path = join(directory, MANIFEST_FILE)
  try {
    return parseManifest(await readFile(path, 'utf8'), path)
  } catch (error) {
    if (error instanceof LongshoreError || hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined
    throw error
  }
}

/** What is wrong with a held generation, undefined when every byte is as the manifest says. */
async function findProblem(
  final: string,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<string | undefined> {
  signal.throwIfAborted()
  const found = await lstat(final).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  })
  if (!found) return MISSING
  if (!found.isDirectory()) return 'is no directory'
  const held = await readManifest(final)
  if (!held) return `has no sound ${MANIFEST_FILE}`
  if (held.digest !== manifest.digest) return `has digest ${held.digest}, expected ${manifest.digest}`
  for (const entry of manifest.files) {
    const problem = await findFileProblem(resolveInside(final, entry.path), entry, signal)
    if (problem) return `is damaged: ${problem}`
  }
  return undefined
}

async function removeGeneration(home: string, generation: string): Promise<void> {
  const removed = join(home, `.${generation}.removed-${process.pid}`)
  const final = resolveInside(home, generation)
  // Renamed first: a generation that is half deleted is never seen under its name.
  if (await renameIfPresent(final, removed)) await syncDirectory(dirname(final))
  for (const name of await listDirectory(home)) {
    if (name.startsWith(`.${generation}.`)) await rm(join(home, name), { recursive: true, force: true })
  }
}
