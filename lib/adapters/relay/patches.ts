import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import type { GenerationRef } from '../../domain/generation.ts'
import type { Manifest } from '../../domain/manifest.ts'
import type { PieceFile } from '../../domain/pieces.ts'
import type { GenerationStore } from '../../ports/generation-store.ts'
import { identifyProcess, isDead } from '../process/process-identity.ts'

export type MakePatch = (options: {
  readonly directory: string
  readonly manifest: Manifest
  readonly baseDirectory: string
  readonly baseManifest: Manifest
  /** File to be. */
  readonly target: string
  readonly signal: AbortSignal
}) => Promise<{ readonly bytes: number } | undefined>

/** A file of this machine from which nodes make a generation, and its name among what is sent. */
export type Patch = { readonly directory: string; readonly file: PieceFile }

export type PatchSettings = {
  readonly generations: Pick<GenerationStore, 'read' | 'locate'>
  readonly makePatch: MakePatch
}

const PATCH = /^\.dg_\d+\.patch-(\d+)-(\d+)$/

/** Makes each patch once, whoever asks, in a directory beside the generation that is removed in the end. */
export class Patches {
  readonly #settings: PatchSettings
  readonly #made = new Map<string, Promise<Patch | undefined>>()
  readonly #directories = new Set<string>()

  constructor(settings: PatchSettings) {
    this.#settings = settings
  }

  /** The patch from `base` to the generation in `directory`; undefined where whole files are as cheap, or none is here. */
  get(
    directory: string,
    manifest: Manifest,
    base: GenerationRef,
    signal: AbortSignal,
  ): Promise<Patch | undefined> {
    const key = `${base.digest} ${manifest.digest}`
    const made = this.#made.get(key) ?? this.#make(directory, manifest, base, signal)
    this.#made.set(key, made)
    return made
  }

  /** The manifest of a base; undefined where this machine holds it no more. */
  async readBase({ name, digest }: GenerationRef): Promise<Manifest | undefined> {
    const manifest = await this.#settings.generations.read(name).catch(noneWhereGone)
    return manifest?.digest === digest ? manifest : undefined
  }

  /** Removes all of them. */
  async remove(): Promise<void> {
    await Promise.allSettled(this.#made.values())
    for (const directory of this.#directories) await rm(directory, { recursive: true, force: true })
  }

  async #make(
    directory: string,
    manifest: Manifest,
    base: GenerationRef,
    signal: AbortSignal,
  ): Promise<Patch | undefined> {
    const { generations, makePatch } = this.#settings
    const baseManifest = await this.readBase(base)
    if (!baseManifest) return undefined
    const parent = await this.#prepare(directory)
    const path = `.patch-${base.digest.replace(/^sha256:/, '').slice(0, 16)}`
    const target = join(parent, path)
    const baseDirectory = generations.locate(base.name)
    const patch = await makePatch({ directory, manifest, baseDirectory, baseManifest, target, signal })
    if (!patch) return undefined
    return { directory: parent, file: { path, ...(await hashFile(target)) } }
  }

  /** The directory for patches of a generation; those of runs that died are removed. */
  async #prepare(generation: string): Promise<string> {
    const root = dirname(generation)
    for (const name of await readdir(root)) {
      if (isLeft(name)) await rm(join(root, name), { recursive: true, force: true })
    }
    const { pid, startTicks } = identifyProcess()
    const parent = join(root, `.${basename(generation)}.patch-${pid}-${startTicks ?? 0}`)
    this.#directories.add(parent)
    await mkdir(parent, { recursive: true })
    return parent
  }
}

function isLeft(name: string): boolean {
  const [, pid, startTicks] = PATCH.exec(name) ?? []
  if (pid === undefined || startTicks === undefined) return false
  return isDead({ host: hostname(), pid: Number(pid), startTicks: startTicks === '0' ? null : startTicks })
}

function noneWhereGone(error: unknown): undefined {
  if (error instanceof LongshoreError && ['not-found', 'corrupt'].includes(error.kind)) return undefined
  throw error
}

async function hashFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const block of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(block as Buffer)
    bytes += (block as Buffer).length
  }
  return { bytes, sha256: hash.digest('hex') }
}
