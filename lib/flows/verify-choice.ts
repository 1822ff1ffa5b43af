import type { Profile } from '../config/schema.ts'
import { LongshoreError } from '../domain/errors.ts'
import { type Fleet, findHeld, listServed } from '../domain/fleet.ts'
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

/** A generation to be looked at, and whether this machine has it. */
export type Chosen = { readonly manifest: Manifest; readonly isHere: boolean }

/**
 * The named generation, or those in service and before, newest first, as this machine has them or else nodes. Raises
 * `usage` for what is no generation's name, `not-found` when nobody has it or nothing is in service, `corrupt` when this
 * machine has another one than is served, or nodes have several of one name.
 */
export async function chooseGenerations(
  context: FleetContext,
  fleet: Fleet,
  asked?: string,
): Promise<Chosen[]> {
  if (asked !== undefined) {
    parseGenerationNumber(asked)
    return [await findNamed(context, fleet, asked)]
  }
  const served = await listServedAndBefore(context, fleet)
  if (served.length > 0) return await Promise.all(served.map((one) => findServed(context, fleet, one)))
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

async function findNamed(context: FleetContext, fleet: Fleet, name: string): Promise<Chosen> {
  try {
    return { manifest: await context.generations.read(name), isHere: true }
  } catch (error) {
    if (!isLacking(error)) throw error
    const copies = fleet.nodes.flatMap(({ generations }) => generations.filter((one) => one.name === name))
    const digests = [...new Set(copies.flatMap(({ digest }) => digest ?? []))]
    if (digests.length === 0) throw error
    if (digests.length === 1) return await readFromNodes(context, fleet, { name, digest: digests[0]! }, error)
    const message = `nodes hold ${digests.length} different generations as ${name}, and this machine has none`
    throw new LongshoreError('corrupt', message, { hint: 'verify from a machine that has the one meant' })
  }
}

async function findServed(context: FleetContext, fleet: Fleet, served: GenerationRef): Promise<Chosen> {
  try {
    const manifest = await context.generations.read(served.name)
    if (isSameGeneration(refOf(manifest), served)) return { manifest, isHere: true }
    const message = `${served.name} here has digest ${manifest.digest}, the one in service has ${served.digest}`
    throw new LongshoreError('corrupt', message, {
      hint: 'verify from a machine that has the one in service',
    })
  } catch (error) {
    if (!isLacking(error)) throw error
    return await readFromNodes(context, fleet, served, error)
  }
}

function isLacking(error: unknown): error is LongshoreError {
  return error instanceof LongshoreError && ['not-found', 'corrupt'].includes(error.kind)
}

/** From the first node that still gives it; where none does, the error is that this machine does not have it either. */
async function readFromNodes(
  { mender, signal }: FleetContext,
  { nodes }: Fleet,
  generation: GenerationRef,
  lacking: LongshoreError,
): Promise<Chosen> {
  for (const { name } of nodes.filter((node) => findHeld(node, generation))) {
    const manifest = await mender.readManifest(name, generation.name, signal).catch((error: unknown) => {
      if (error instanceof LongshoreError && !signal.aborted) return undefined
      throw error
    })
    if (manifest?.digest === generation.digest) return { manifest, isHere: false }
  }
  throw new LongshoreError(lacking.kind, lacking.message, {
    hint: `verify from a machine that has the ${generation.name} that was put in service, or name another generation`,
    cause: lacking,
  })
}
