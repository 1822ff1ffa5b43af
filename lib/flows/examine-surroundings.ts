import { type Finding, fail, ok, warn } from '../domain/finding.ts'
import { type Fleet, findService } from '../domain/fleet.ts'
import { GATEWAY } from '../domain/service.ts'
import { attempt } from './attempt.ts'
import type { FleetContext } from './context.ts'

const AGAIN = 'mend it, then run doctor.mjs again'

/** Whether somebody else works on the fleet; takes no lock. */
export async function examineLock({ state, signal }: FleetContext, limitMs: number): Promise<Finding> {
  const holder = await attempt(() => state.findHolder(), { signal, limitMs })
  if ('problem' in holder) {
    return fail('lock', `who holds the lock cannot be told: ${holder.problem}`, holder.hint ?? AGAIN)
  }
  if (holder.value === undefined) return ok('lock', 'nobody works on the fleet')
  return warn('lock', holder.value, 'wait until it is done; a dead owner is taken over from')
}

/** Whether the gateway that there is to be can have its port. */
export async function examinePort(
  { profile, publishing, signal }: FleetContext,
  fleet: Fleet,
  limitMs: number,
): Promise<Finding> {
  const { host, port } = profile.gateway
  if (findService(fleet, GATEWAY)) return ok('port', `our gateway has port ${port}`)
  const found = await attempt(() => publishing.findProblem(host, port), { signal, limitMs })
  const problem = 'value' in found ? found.value : found.problem
  if (problem === undefined) return ok('port', `port ${port} is free for the gateway`)
  return fail(
    'port',
    `port ${port} is not free for the gateway: ${problem}`,
    'set gateway.port to another one',
  )
}

/** Whether texts become embeddings of the length that the profile says. */
export async function examineEmbedder(
  { embedder, profile, signal }: FleetContext,
  limitMs: number,
): Promise<Finding> {
  const { dimensions } = profile.model
  // Asking it would start a service, and here nothing is changed.
  if (profile.engine === 'swarm' && profile.extraction.onnx !== undefined) {
    return ok('extraction', `${profile.extraction.onnx} is served by an image of its own`)
  }
  const where = profile.extraction.url ?? profile.extraction.onnx ?? 'the built-in extraction'
  const embedding = await attempt((limited) => embedder.embed(['Is anybody there?'], limited), {
    signal,
    limitMs,
  })
  if ('problem' in embedding) {
    const hint = 'check extraction.url and model.name'
    return fail('extraction', `${where} does not embed: ${embedding.problem}`, hint)
  }
  const { length } = embedding.value
  if (length === dimensions) return ok('extraction', `${where} embeds with ${dimensions} dimensions`)
  return fail(
    'extraction',
    `${where} embeds with ${length} dimensions, the profile says ${dimensions}`,
    'correct model.dimensions, or name the right server in extraction.url',
  )
}
