import type { Profile } from '../config/schema.ts'
import { LongshoreError } from '../domain/errors.ts'
import { type Fleet, listServed } from '../domain/fleet.ts'
import {
  compareGenerations,
  type GenerationRef,
  isSameGeneration,
  parseGenerationNumber,
} from '../domain/generation.ts'
import { type Manifest, refOf } from '../domain/manifest.ts'
import { historyOf } from '../domain/record-rules.ts'
import type { FleetContext } from './context.ts'

/** Names of the nodes that were asked for, or of all. Raises `usage` for one that the profile does not have. */
export function chooseNodes({ nodes }: Profile, asked?: readonly string[]): string[] {
  const names = nodes.map(({ name }) => name)
  const unknown = asked?.find((name) => !names.includes(name))
  if (unknown === undefined) return names.filter((name) => asked === undefined || asked.includes(name))
  throw new LongshoreError('usage', `there is no node "${unknown}" in the profile`, {
    hint: `its nodes are ${names.join(', ')}: --nodes ${names.slice(0, 2).join(',')}`,
  })
}

/**
 * The manifest of the named generation, or of those in service and before, newest first. Raises `usage` for what is no
 * generation's name, `not-found` when this machine does not have it or nothing is in service, `corrupt` when this machine
 * has another one than is served.
 */
export async function chooseGenerations(
  context: FleetContext,
  fleet: Fleet,
  asked?: string,
): Promise<Manifest[]> {
  if (asked !== undefined) {
    parseGenerationNumber(asked)
    return [await context.generations.read(asked)]
  }
  const served = await listServedAndBefore(context, fleet)
  if (served.length > 0) return await Promise.all(served.map((one) => readServed(context, one)))
  throw new LongshoreError('not-found', 'nothing is in service', {
    hint: 'name the generation: npx zx scripts/verify.mjs dg_1',
  })
}

async function listServedAndBefore({ state }: FleetContext, fleet: Fleet): Promise<GenerationRef[]> {
  const { releases } = await state.read()
  const all = [...listServed(fleet), ...historyOf(releases).slice(-2)]
  const different = all.filter(
    (one, index) => all.findIndex((other) => isSameGeneration(one, other)) === index,
  )
  return different.sort((a, b) => compareGenerations(b.name, a.name))
}

async function readServed({ generations }: FleetContext, served: GenerationRef): Promise<Manifest> {
  const manifest = await generations.read(served.name).catch((error: unknown) => {
    if (!(error instanceof LongshoreError)) throw error
    throw new LongshoreError(error.kind, error.message, {
      hint: `verify from a machine that has the ${served.name} that was put in service, or name another generation`,
      cause: error,
    })
  })
  if (isSameGeneration(refOf(manifest), served)) return manifest
  const message = `${served.name} here has digest ${manifest.digest}, the one in service has ${served.digest}`
  throw new LongshoreError('corrupt', message, { hint: 'verify from a machine that has the one in service' })
}
