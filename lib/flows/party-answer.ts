import { LongshoreError, messageOf } from '../domain/errors.ts'
import type { Party } from '../domain/fate/parties.ts'
import { type PartyResult, renderResponse, renderSuccess } from '../domain/fate/response.ts'
import { describePlan, type Plan } from '../domain/plan.ts'
import type { PublishedPackage } from '../ports/fate-packages.ts'
import type { Answer } from './context.ts'
import type { PartyPackage } from './party-package.ts'
import type { FoundLeftover } from './write-party.ts'

export type PartyLeftover = FoundLeftover & { readonly party: Party }

/** Whatever one party meets ends the run: nothing of the others is published without it. */
export async function attempt<T>(
  party: Party,
  { parties, jobId }: { parties: readonly Party[]; jobId: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof LongshoreError)) throw error
    const message = `${party.role} ${party.id}: ${messageOf(error)}`
    const results = parties.map((other): PartyResult => {
      const retmsg = other === party ? messageOf(error) : `not migrated, because of ${message}`
      return { party: other, retcode: 100, retmsg }
    })
    const { kind, hint } = error
    throw new LongshoreError(kind, message, {
      ...(hint !== undefined && { hint }),
      cause: error,
      answer: { ...renderResponse(jobId, results) },
    })
  }
}

/** Raises `gate` naming every place where a former party still stands. */
export function refuseLeftovers(found: readonly PartyLeftover[]): void {
  const named = found.filter(({ certainty }) => certainty === 'named')
  if (named.length === 0) return
  const lines = named.map(
    ({ party, file, place, text }) => `${party.role} ${party.id}: ${file}: ${place}: ${text}`,
  )
  throw new LongshoreError(
    'gate',
    `former parties still stand in ${named.length} places:\n${lines.join('\n')}`,
    {
      hint: 'look whether a prediction needs these places; --keep-leftovers writes the packages all the same',
      answer: { leftovers: found },
    },
  )
}

export type Outcome = {
  readonly opened: readonly PartyPackage[]
  readonly plan: Plan
  readonly jobId: string
  readonly leftovers: readonly PartyLeftover[]
  readonly published: readonly PublishedPackage[]
}

/** What was written, as text and in the form of the original. */
export function answerMigrated({ opened, plan, jobId, leftovers, published }: Outcome): Answer {
  const results = opened.map(
    (part): PartyResult => ({ party: part.party, retcode: 0, retmsg: renderSuccess(part, part.path) }),
  )
  const packages = opened.map(({ fresh, modelId, version, path }, index) => ({
    ...{ role: fresh.role, party_id: fresh.id, model_id: modelId, model_version: version, path },
    sha256: published[index]?.sha256 ?? null,
  }))
  const isDone = published.length > 0
  const lines = packages.map(({ path, sha256 }) => `${path}${sha256 === null ? '' : `\nsha256:${sha256}`}`)
  const rest = leftovers.map(
    ({ party, file, place, text, certainty }) =>
      `${certainty === 'named' ? 'still' : 'maybe'} in ${party.role} ${party.id}: ${file}: ${place}: ${text}`,
  )
  const head = isDone
    ? `${packages[0]!.model_id}, version ${packages[0]!.model_version}`
    : 'a dry run: nothing was written'
  return {
    outcome: 'done',
    ...(!isDone && { plan }),
    text: [head, ...(isDone ? lines : []), ...rest].join('\n'),
    json: {
      ...(isDone && renderResponse(jobId, results)),
      ...{ packages, leftovers, plan: describePlan(plan) },
    },
  }
}
