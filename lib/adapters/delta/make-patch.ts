import { createHash } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { countBytes, type Manifest } from '../../domain/manifest.ts'
import { type FileWay, planWays, wayOf } from '../../domain/row-delta-plan.ts'
import { hasCode, syncDirectory } from '../files/durable-files.ts'
import { BaseRows } from './base-rows.ts'
import { derive } from './derived-files.ts'
import { HeldBytes } from './held-bytes.ts'
import { Pace } from './pace.ts'
import { PATCH_FORMAT, WAY_CODES } from './patch-format.ts'
import { PatchWriter } from './patch-writer.ts'
import { LINES, type RowShape, readRowShape } from './read-rows.ts'
import { type RowContext, type RowCounts, writeRows } from './write-rows.ts'

/** A patch that needs more than this share of the whole files, before compression, is not worth its rebuild. */
const WORTH_SHARE = 0.9
const PIECE_BYTES = 1024 * 1024
/** With what finding them takes, 28 bytes of memory each. */
const WINDOW_ROWS = 2 ** 18

export type PatchOptions = {
  readonly directory: string
  readonly manifest: Manifest
  /** A generation that the receiver holds, too. */
  readonly baseDirectory: string
  readonly baseManifest: Manifest
  /** Path of the patch; what stands there is replaced. */
  readonly target: string
  readonly signal: AbortSignal
  /** Told bytes of the generation that were dealt with since it was called last. */
  readonly onProgress?: (bytes: number) => void
  /** Rows that are looked for at once, 16,384 at least; fewer take less memory. */
  readonly windowRows?: number
}

export type Patch = {
  readonly bytes: number
  /** Vectors and lines that stand in the patch. */
  readonly sentRows: number
  /** Vectors and lines that are taken from the base, besides those of `copiedFiles`. */
  readonly copiedRows: number
  /** Files that the base holds under one name or another. */
  readonly copiedFiles: number
}

class TooDear extends Error {}

/**
 * Writes what is needed to make a generation from another one: rows that are new, and where the others are. The same
 * two generations give the same bytes. Undefined, and no file, where sending whole files is hardly dearer; raises `remote`, and leaves no file, on a full disk. Holds about
 * 40 MB whatever the size, and 12 bytes per row on the disk beside `target` meanwhile.
 */
export async function makePatch(options: PatchOptions): Promise<Patch | undefined> {
  const { target, manifest, baseManifest, signal, onProgress } = options
  const beside = `${target}.part`
  await rm(beside, { force: true })
  const most = WORTH_SHARE * countBytes(manifest)
  const header = { format: PATCH_FORMAT, base: baseManifest.digest, generation: manifest.digest } as const
  const patch = new PatchWriter(beside, header)
  const checkWorth = (more: number) => {
    if (patch.bodyBytes + more >= most) throw new TooDear()
  }
  const pace = new Pace(signal, (bytes) => {
    checkWorth(0)
    onProgress?.(bytes)
  })
  try {
    const counts = await writeBody(options, { patch, pace, checkWorth })
    pace.finish()
    const bytes = await patch.finish()
    await rename(beside, target)
    await syncDirectory(dirname(target))
    return { bytes, ...counts }
  } catch (error) {
    // The disk may not take what is thrown away, either.
    await Promise.allSettled([patch.abandon()])
    await rm(beside, { force: true })
    if (error instanceof TooDear) return undefined
    throw hasCode(error, 'ENOSPC', 'EDQUOT') ? noRoom(target, error) : error
  }
}

function noRoom(target: string, cause: unknown): LongshoreError {
  return new LongshoreError('remote', `${dirname(target)}: no space left on the disk for a patch`, {
    hint: 'free some space there; without a patch the files of the generation are sent whole',
    cause,
  })
}

async function writeBody(
  options: PatchOptions,
  writing: Pick<RowContext, 'patch' | 'pace' | 'checkWorth'>,
): Promise<Omit<Patch, 'bytes'>> {
  const { directory, manifest, baseDirectory, baseManifest } = options
  const ways = planWays(manifest, baseManifest)
  const target = new HeldBytes(directory, manifest.files)
  const base = new HeldBytes(baseDirectory, baseManifest.files)
  const context = { ...writing, target, base, windowRows: options.windowRows ?? WINDOW_ROWS }
  const counts: RowCounts = { sent: 0, copied: 0 }
  try {
    for (const way of ways) if (way.way === 'copy') writeCopy(way, writing.patch)
    const groups = groupByShape(options, ways)
    for (const [shape, files] of groups.values()) {
      const { sent, copied } = await writeGroup(options, { shape, files }, context)
      counts.sent += sent
      counts.copied += copied
    }
    const grouped = new Set([...groups.values()].flatMap(([, files]) => files))
    for (const way of ways)
      if (way.way !== 'copy' && !grouped.has(way.file)) await writeOther(options, way, context)
  } finally {
    target.close()
    base.close()
  }
  const copiedFiles = ways.filter(({ way }) => way === 'copy').length
  return { sentRows: counts.sent, copiedRows: counts.copied, copiedFiles }
}

function writeCopy({ file, base }: Extract<FileWay, { way: 'copy' }>, patch: PatchWriter): void {
  for (const number of [file, WAY_CODES.copy, base]) patch.number(number)
}

/** Files whose rows may stand in each other's place, by how their rows lie; those without plain rows are left out. */
function groupByShape(
  { directory, manifest }: PatchOptions,
  ways: readonly FileWay[],
): Map<string, readonly [RowShape, number[]]> {
  const groups = new Map<string, readonly [RowShape, number[]]>()
  for (const { way, file } of ways) {
    if (way !== 'rows' && way !== 'lines') continue
    const shape = way === 'lines' ? LINES : readRowShape(join(directory, manifest.files[file]!.path))
    if (!shape) continue
    const key = JSON.stringify(shape)
    if (!groups.has(key)) groups.set(key, [shape, []])
    groups.get(key)![1].push(file)
  }
  return groups
}

async function writeGroup(
  { directory, manifest, baseDirectory, baseManifest, target }: PatchOptions,
  { shape, files }: { readonly shape: RowShape; readonly files: readonly number[] },
  context: RowContext,
): Promise<RowCounts> {
  const sources = baseManifest.files
    .map(({ path, bytes }, file) => ({ file, name: path, path: join(baseDirectory, path), bytes }))
    .filter(({ name, path, bytes }) => isPlainFile(path, bytes) && hasShape(name, path, shape))
  const rows = new BaseRows(`${target}.rows`, sources)
  await rows.remove()
  try {
    await rows.collect(shape, context.pace)
    const targets = files.map((file) => ({ file, path: join(directory, manifest.files[file]!.path) }))
    return await writeRows({ shape, files: targets }, rows, context)
  } finally {
    await rows.remove()
  }
}

/** What is missing or cut off in the base here is not copied from: this machine's damage need not be the receiver's. */
function isPlainFile(path: string, bytes: number): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats?.isFile() === true && stats.size === bytes
}

function hasShape(name: string, path: string, { prefix, width }: RowShape): boolean {
  const way = wayOf(name)
  if (width === null) return way === 'lines'
  if (way !== 'rows') return false
  const shape = readRowShape(path)
  return shape?.prefix === prefix && shape.width === width
}

/** A derived file where it really comes out the same, the bytes of any other. */
async function writeOther(options: PatchOptions, way: FileWay, context: RowContext): Promise<void> {
  const { patch, target, pace } = context
  const { bytes } = options.manifest.files[way.file]!
  patch.number(way.file)
  if (way.way === 'derived' && (await comesOutSame(options, way, pace))) {
    patch.number(WAY_CODES.derived)
    return
  }
  patch.number(WAY_CODES.bytes)
  const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)
  for (let done = 0; done < bytes; ) {
    const piece = buffer.subarray(0, bytes - done)
    target.read(way.file, done, piece)
    patch.bytes(piece)
    done += piece.length
    await pace.spend(piece.length)
  }
}

async function comesOutSame(
  { directory, manifest }: PatchOptions,
  { file, derivation }: Extract<FileWay, { way: 'derived' }>,
  pace: Pace,
): Promise<boolean> {
  const hash = createHash('sha256')
  for (const piece of derive(directory, derivation)) {
    hash.update(piece)
    await pace.spend(piece.length)
  }
  return hash.digest('hex') === manifest.files[file]!.sha256
}
