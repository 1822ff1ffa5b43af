import type { Party } from './parties.ts'

/** What FATE-Flow answers, member by member; `retcode` 0 alone says nothing, as it is 0 too when every party failed. */
export type FateResponse = {
  readonly retcode: number
  readonly retmsg: string
  readonly jobId?: string
  readonly data?: ResponseData
}
export type ResponseData = Readonly<Record<string, unknown>> & {
  readonly detail?: Readonly<Record<string, Readonly<Record<string, PartyAnswer>>>>
}
export type PartyAnswer = { readonly retcode: number; readonly retmsg: string }

export type PartyResult = PartyAnswer & { readonly party: Party }

/** The answer to a migration in the form of the original, but with a `retcode` that is true. */
export function renderResponse(jobId: string, results: readonly PartyResult[]): FateResponse {
  const isDone = results.every(({ retcode }) => retcode === 0)
  const detail: Record<string, Record<string, PartyAnswer>> = {}
  const codes: Record<string, Record<string, number>> = {}
  for (const { party, retcode, retmsg } of results) {
    detail[party.role] = { ...detail[party.role], [party.id]: { retcode, retmsg } }
    codes[party.role] = { ...codes[party.role], [party.id]: retcode }
  }
  return {
    data: { detail, ...codes },
    jobId,
    retcode: isDone ? 0 : 100,
    retmsg: isDone ? 'success' : 'failed',
  }
}

/** What each party answered, told from the inner codes: nobody who is asked and missing has succeeded. */
export function readResults({ retcode, retmsg, data }: FateResponse, asked: readonly Party[]): PartyResult[] {
  return asked.map((party) => {
    const answer = data?.detail?.[party.role]?.[party.id]
    if (answer) return { party, ...answer }
    return { party, retcode: retcode === 0 ? 100 : retcode, retmsg: `no answer of this party: ${retmsg}` }
  })
}

/** The words of the original for a package that was made. */
export function renderSuccess(
  { modelId, version }: { modelId: string; version: string },
  archive: string,
): string {
  return (
    'Migrating model successfully. The configuration of model has been modified automatically. ' +
    `New model id is: ${modelId}, model version is: ${version}. Model files can be found at '${archive}'.`
  )
}
