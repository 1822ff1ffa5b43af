import { jobIdOf } from '../domain/fate/job-id.ts'
import { type MigrationConfig, parseMigrationConfig } from '../domain/fate/migration-config.ts'
import type { Context } from './context.ts'

/** What `migrate-party` may touch. */
export type PartyContext = Pick<
  Context,
  'inputs' | 'fatePackages' | 'openFateFlow' | 'reporter' | 'signal' | 'dryRun' | 'confirm' | 'now'
>

/** The configuration, and the job's id, which is the version where none is named. */
export async function readConfig(
  { inputs, now }: Pick<PartyContext, 'inputs' | 'now'>,
  path: string,
): Promise<{ config: MigrationConfig; text: string; jobId: string }> {
  const text = await inputs.readText(path)
  return { config: parseMigrationConfig(text, path), text, jobId: jobIdOf(now()) }
}
