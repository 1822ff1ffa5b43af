import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { Environment } from '../../settings.ts'

/** What a gateway is told of its console. */
export type ConsoleSettings = {
  /** Name of the profile. */
  readonly profile: string
  /** SHA-256 of the token that readers must know, in hexadecimal digits; without it, everybody may read. */
  readonly tokenDigest?: string
  /** Where the fleet can be looked at from here: with the engine `local`. */
  readonly fleet?: { readonly state: string; readonly nodes: readonly string[] }
}

/** What stands in CONSOLE. Raises `usage`. */
export function parseConsoleSettings({ CONSOLE = '' }: Environment): ConsoleSettings {
  try {
    return JSON.parse(CONSOLE)
  } catch (error) {
    throw new LongshoreError('usage', 'CONSOLE: expected JSON', { cause: error })
  }
}
