import { LongshoreError } from '../domain/errors.ts'
import type { Answer, FleetContext } from './context.ts'

/** What hands an answer of `status` to the consoles of the gateways that it tells of. Raises `usage` where there are none, `remote`. */
export function publishFacts(context: FleetContext, profileFile: string): (answer: Answer) => Promise<void> {
  const { consoles, profile, signal } = context
  if (!consoles) {
    throw new LongshoreError(
      'usage',
      '--publish: gateways of this profile serve no console that has to be told',
      {
        hint:
          profile.engine === 'local'
            ? 'with the engine `local` the console looks for itself'
            : 'gateway.console in the profile turns it on; docs/console.md tells how',
      },
    )
  }
  return async ({ json }) => {
    const { url } = json.gateway as { readonly url: string }
    await consoles.publish(url, { ...json, profileFile }, signal)
  }
}
