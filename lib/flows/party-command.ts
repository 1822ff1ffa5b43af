import { LongshoreError } from '../domain/errors.ts'
import type { Answer } from './context.ts'
import { importParty } from './import-party.ts'
import { type MigratePartyOptions, migrateParty } from './migrate-party.ts'
import { migrateRemotely } from './migrate-remotely.ts'
import type { PartyContext } from './party-context.ts'

/** Where FATE-Flow keeps its models, below its own directory. */
const CACHE = 'model_local_cache'
const FORMS = ['directory', 'archive', 'both'] as const

export type PartyFlags = {
  readonly from: string | undefined
  readonly to: string | undefined
  readonly as: string | undefined
  readonly compat: boolean
  readonly 'keep-leftovers': boolean
  readonly into: string | undefined
  readonly force: boolean
  readonly sha256: string | undefined
  readonly server: string | undefined
}

/** What `migrate-party` is asked for: a migration of files or by a server, or an import. Raises `usage`. */
export async function runPartyCommand(
  context: PartyContext,
  [first = '', second]: readonly string[],
  flags: PartyFlags,
): Promise<Answer> {
  const { server, compat: isCompat } = flags
  if (first === 'import') {
    if (second === undefined) throw new LongshoreError('usage', 'import: PACKAGE is missing')
    const { force: isForced, sha256, into = CACHE } = flags
    return await importParty(context, { source: second, into, server, isForced, sha256, isCompat })
  }
  if (second !== undefined)
    throw new LongshoreError(
      'usage',
      `"${second}" is one argument too many: expected CONFIG, or import PACKAGE`,
    )
  if (server !== undefined) return await migrateRemotely(context, { config: first, server })
  return await migrateParty(context, {
    ...{ config: first, from: flags.from ?? CACHE, to: flags.to, as: chooseForm(flags.as), isCompat },
    keepsLeftovers: flags['keep-leftovers'],
  })
}

function chooseForm(given: string = 'both'): MigratePartyOptions['as'] {
  const form = FORMS.find((name) => name === given)
  if (form) return form
  throw new LongshoreError('usage', `--as ${given}: expected ${FORMS.join(', ')}`)
}
