import { createHash } from 'node:crypto'
import { constants, copyFile, link, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BRIDGE_FILE } from '../../domain/bridge.ts'
import { renderGolden } from '../../domain/golden.ts'
import { countBytes, type FileEntry, GOLDEN_FILE, type Manifest } from '../../domain/manifest.ts'
import type { BridgeSpec } from '../../ports/generation-writer.ts'
import { hasCode, syncFile, writeSynced } from '../files/durable-files.ts'
import { renderBridgeMap } from './bridge-map.ts'
import { listDirectories, makeBeside } from './make-beside.ts'
import { checkSpace } from './partial.ts'

/** Of file systems that know no links between these two files. */
const NO_LINKS = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS']

/**
 * Makes a generation beside its place of another one's files, which it shares with it where the file system has hard links,
 * and renames it. Raises `usage` when its name is taken, `remote` when the disk is full.
 */
export async function writeBridge(root: string, spec: BridgeSpec): Promise<Manifest> {
  return await makeBeside(root, spec.generation, async (beside) =>
    spec.complete(await writeFiles(root, beside, spec)),
  )
}

/** Writes golden queries and map, and takes the rest as it is. */
async function writeFiles(
  root: string,
  directory: string,
  { from, golden, map }: BridgeSpec,
): Promise<FileEntry[]> {
  const shared = from.files.filter(({ path }) => path !== GOLDEN_FILE)
  for (const below of listDirectories(from)) await mkdir(join(directory, below), { recursive: true })
  let isLinking = true
  for (const { path } of shared) {
    const [source, target] = [join(root, from.generation, path), join(directory, path)]
    isLinking &&= await tryLink(source, target)
    if (isLinking) continue
    await checkSpace(root, countBytes(from))
    await copyFile(source, target, constants.COPYFILE_FICLONE)
    await syncFile(target)
  }
  const own = [
    [GOLDEN_FILE, Buffer.from(renderGolden(golden))],
    [BRIDGE_FILE, renderBridgeMap(map, from.model.dimensions)],
  ] as const
  for (const [path, bytes] of own) await writeSynced(join(directory, path), bytes)
  return [...own.map(([path, bytes]) => describe(path, bytes)), ...shared]
}

async function tryLink(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target)
    return true
  } catch (error) {
    if (hasCode(error, ...NO_LINKS)) return false
    throw error
  }
}

function describe(path: string, bytes: Uint8Array): FileEntry {
  return { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}
