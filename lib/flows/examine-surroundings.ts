import { LongshoreError, messageOf } from '../domain/errors.ts'
import { type Finding, fail, ok, warn } from '../domain/finding.ts'
import { type Fleet, findService } from '../domain/fleet.ts'
import { GATEWAY } from '../domain/service.ts'
import type { FleetContext } from './context.ts'

/** Findings on what an update needs besides nodes and generations: the lock, the gateway's port, the embedder. */
export async function examineSurroundings(context: FleetContext, fleet: Fleet): Promise<Finding[]> {
  return [await examineLock(context), await examinePort(context, fleet), await examineEmbedder(context)]
}

async function examineLock({ state, owner }: FleetContext): Promise<Finding> {
  try {
    const lease = await state.acquire({ owner, doing: 'doctor' })
    await lease.release()
    return ok('lock', 'nobody works on the fleet')
  } catch (error) {
    if (!(error instanceof LongshoreError) || error.kind !== 'locked') throw error
    return warn('lock', error.message, 'wait until it is done; a dead owner is taken over from')
  }
}

async function examinePort({ profile, publishing }: FleetContext, fleet: Fleet): Promise<Finding> {
  const { host, port } = profile.gateway
  if (findService(fleet, GATEWAY)) return ok('port', `our gateway has ${host}:${port}`)
  const problem = await publishing.findProblem(host, port)
  if (problem === undefined) return ok('port', `${host}:${port} is free`)
  return fail(
    'port',
    `${host}:${port} is not free for the gateway: ${problem}`,
    'set gateway.port to another one',
  )
}

async function examineEmbedder({ embedder, profile, signal }: FleetContext): Promise<Finding> {
  const { dimensions } = profile.model
  const where = profile.extraction.url ?? 'the built-in extraction'
  try {
    const embedding = await embedder.embed(['Is anybody there?'], signal)
    if (embedding.length === dimensions)
      return ok('extraction', `${where} embeds with ${dimensions} dimensions`)
    return fail(
      'extraction',
      `${where} embeds with ${embedding.length} dimensions, the profile says ${dimensions}`,
      'correct model.dimensions, or name the right server in extraction.url',
    )
  } catch (error) {
    signal.throwIfAborted()
    return fail(
      'extraction',
      `${where} does not embed: ${messageOf(error)}`,
      'check extraction.url and model.name',
    )
  }
}
