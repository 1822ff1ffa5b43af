import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import type { SharedLedgers } from '../../ports/ingestion.ts'
import type { Ledger, LedgerStore } from '../../ports/ledger.ts'
import type { Claim, Lease } from '../../ports/state-store.ts'
import { hasCode, writeDurably } from '../files/durable-files.ts'
import { explainDiskError } from '../generations/disk-error.ts'
import { takeLock } from '../local/lock.ts'
import { createNumberedFiles } from '../local/numbered-files.ts'
import { SegmentedLedger } from './ledger.ts'

const FORMAT = 'longshore-ledger/1'
const LEASE_SECONDS = 30

export type LedgerStoreOptions = {
  /** Holds a directory for every model. */
  readonly directory: string
  /** Who writes, as told to whoever finds the ledger in use. */
  readonly owner: string
}

/** Ledgers as directories, one for each model, locked while they are open: nobody pays for the same twice. */
export function createLedgerStore({ directory, owner }: LedgerStoreOptions): LedgerStore & SharedLedgers {
  return {
    async open(model) {
      const own = join(directory, nameOf(model.fingerprint))
      await mkdir(own, { recursive: true })
      const claim: Claim = { owner, doing: `embedding under ${model.fingerprint}` }
      const lease = await takeLock(claim, {
        files: createNumberedFiles(join(own, 'lock')),
        readFloor: async () => 0,
        leaseSeconds: LEASE_SECONDS,
        now: Date.now,
      }).catch(raiseDiskError)
      try {
        await identify(join(own, 'ledger.json'), model)
        const ledger = await SegmentedLedger.open(own, model.dimensions)
        return releaseAtClose(ledger, lease)
      } catch (error) {
        await giveBack(lease)
        return raiseDiskError(error)
      }
    },
    async share(model) {
      const own = join(directory, nameOf(model.fingerprint))
      try {
        await mkdir(own, { recursive: true })
        await identify(join(own, 'ledger.json'), model)
        return await SegmentedLedger.open(own, model.dimensions)
      } catch (error) {
        return raiseDiskError(error)
      }
    },
  }
}

function releaseAtClose(ledger: Ledger, lease: Lease): Ledger {
  const close = ledger.close.bind(ledger)
  return Object.assign(ledger, {
    async close() {
      await close()
      await giveBack(lease)
    },
  })
}

/** On a full disk the lock stays as it is: that of a process which has ended is taken over all the same. */
async function giveBack({ release }: Lease): Promise<void> {
  await release().catch((error: unknown) => {
    if (!hasCode(error, 'ENOSPC', 'EDQUOT')) throw error
  })
}

function raiseDiskError(error: unknown): never {
  throw explainDiskError(error)
}

/** Says whose ledger this is, or raises `corrupt` where it is that of another model. */
async function identify(
  path: string,
  { fingerprint, dimensions }: { readonly fingerprint: string; readonly dimensions: number },
) {
  const wanted = `${JSON.stringify({ format: FORMAT, fingerprint, dimensions })}\n`
  const found = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
  if (found === undefined) return await writeDurably(path, wanted)
  if (found === wanted) return
  throw new LongshoreError('corrupt', `${path}: is ${found.trim()}, expected ${wanted.trim()}`, {
    hint: 'give the model another fingerprint, or move this directory away',
  })
}

/** A directory's name for any fingerprint. */
function nameOf(fingerprint: string): string {
  return createHash('sha256').update(fingerprint).digest('hex').slice(0, 24)
}
