import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { ServiceSpec } from '../../domain/service.ts'
import { hasCode, writeDurably } from '../files/durable-files.ts'

/** services.json: what the agent keeps running, and the number of the last task that it made. */
export type SpecFile = { readonly services: readonly ServiceSpec[]; readonly made: number }

/** The services on file; none when there is no file. Raises `corrupt`. */
export async function readSpecs(state: string): Promise<SpecFile> {
  const path = locate(state)
  try {
    return JSON.parse(await readFile(path, 'utf8')) as SpecFile
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { services: [], made: 0 }
    throw new LongshoreError('corrupt', `${path}: ${messageOf(error)}`, {
      hint: 'delete the file; the next update starts the services again',
      cause: error,
    })
  }
}

export function writeSpecs(state: string, specs: SpecFile): Promise<void> {
  return writeDurably(locate(state), `${JSON.stringify(specs, null, 2)}\n`)
}

/** Leaves no service on file; tasks to come are still told apart from former ones by their numbers. */
export async function forgetSpecs(state: string): Promise<void> {
  const { services, made } = await readSpecs(state)
  if (services.length > 0) await writeSpecs(state, { services: [], made })
}

function locate(state: string): string {
  return join(state, 'services.json')
}
