import { LongshoreError } from '../domain/errors.ts'
import { modelIdOf, partiesOf } from '../domain/fate/parties.ts'
import { readResults } from '../domain/fate/response.ts'
import { assemblePlan, describePlan } from '../domain/plan.ts'
import type { Answer } from './context.ts'
import { type PartyContext, readConfig } from './party-context.ts'

/**
 * Lets a FATE-Flow server migrate its packages, and judges by what each party answers: the server's own code says 0 when
 * all of them failed. Raises `usage`, `partial` where some parties failed, `remote` where all did.
 */
export async function migrateRemotely(
  context: PartyContext,
  { config: path, server }: { readonly config: string; readonly server: string },
): Promise<Answer> {
  const { config, text } = await readConfig(context, path)
  const parties = partiesOf(config.executeParty)
  const modelId = modelIdOf(config.migrateRole)
  const plan = assemblePlan([
    parties.map(({ role, id }) => ({
      ...{ action: 'change' as const, target: `${role} ${id}`, node: server },
      cause: `its model shall be ${modelId}`,
    })),
  ])
  const base = { plan: describePlan(plan) }
  if (context.dryRun) return { outcome: 'done', plan, text: 'a dry run: nothing was asked for', json: base }
  context.reporter.plan(plan)
  await context.confirm(plan)
  const flow = await context.openFateFlow(server)
  try {
    const response = await flow.migrate(text, context.signal)
    const results = readResults(response, parties)
    const failed = results.filter(({ retcode }) => retcode !== 0)
    const lines = results.map(({ party, retmsg }) => `${party.role} ${party.id}: ${retmsg}`)
    if (failed.length === 0)
      return { outcome: 'done', text: lines.join('\n'), json: { ...response, ...base } }
    throw new LongshoreError(failed.length < parties.length ? 'partial' : 'remote', lines.join('\n'), {
      hint: "migrate-party.mjs without --server migrates the packages themselves, and tells what FATE-Flow's own migration leaves",
      answer: { ...response, ...base },
    })
  } finally {
    await flow.close()
  }
}
