import { mkdir, rm, statfs } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { listDirectory } from '../local/node-directory.ts'
import { identifyProcess, isDead } from '../process/process-identity.ts'

/** The list of rejects while its generation is being made. */
export const REJECTS_FILE = 'rejects.jsonl'

const PARTIAL = /^\.(?:dg_\d+|clust_\d+\.jsonl|fate)\.partial-(\d+)-(\d+)$/

/** Where a generation is made, beside its final name: the name tells the process that makes it. */
export function partialName(generation: string): string {
  const { pid, startTicks } = identifyProcess()
  return `.${generation}.partial-${pid}-${startTicks ?? 0}`
}

/** Removes what runs left that were killed while they made something; `rescue` takes out of it first what shall stay. */
export async function removeStale(
  root: string,
  rescue: (directory: string) => Promise<void> = async () => undefined,
): Promise<void> {
  for (const name of await listDirectory(root)) {
    const [, pid, startTicks] = PARTIAL.exec(name) ?? []
    if (pid === undefined || startTicks === undefined) continue
    const process = { host: hostname(), pid: Number(pid), startTicks: startTicks === '0' ? null : startTicks }
    if (!isDead(process)) continue
    await rescue(join(root, name))
    await rm(join(root, name), { recursive: true, force: true })
  }
}

/** Raises `remote` when the disk below `root` has less than `bytes` left. */
export async function checkSpace(root: string, bytes: number): Promise<void> {
  await mkdir(root, { recursive: true })
  const { bavail, bsize } = await statfs(root)
  if (bavail * bsize >= bytes) return
  throw new LongshoreError(
    'remote',
    `no space left on the disk of ${root}: ${bavail * bsize} bytes are free, about ${bytes} are needed`,
    { hint: 'free some space, or name another directory under generations in the profile' },
  )
}
