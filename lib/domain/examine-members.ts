import type { EngineReport } from './engine-report.ts'
import { type Finding, fail, orOk, warn } from './finding.ts'
import { isOpen, type Member } from './swarm-members.ts'

export type Membership = {
  readonly engines: readonly EngineReport[]
  readonly members: readonly Member[]
  /** Names in the profile. */
  readonly nodes: readonly string[]
  /** What an update does about nodes that are lost. */
  readonly unreachableNodes: 'refuse' | 'continue'
}

/** Findings on nodes of the profile that the Swarm does not have, knows by another name, or places no task on. */
export function examineMembers(membership: Membership): Finding[] {
  const findings = membership.nodes.flatMap((name) => examineName(name, membership))
  return orOk(findings, 'swarm', `it has ${membership.nodes.join(', ')}, each ready for tasks`)
}

/** The same where no manager could be asked: what the engines say by themselves. */
export function examineLoners(engines: readonly EngineReport[]): Finding[] {
  return engines.flatMap((engine) => examineEngineState(engine) ?? [])
}

function examineName(name: string, membership: Membership): Finding[] {
  const { engines, members } = membership
  const engine = engines.find((one) => one.name === name)
  const lonely = engine && examineEngineState(engine)
  if (lonely) return [lonely]
  const nodeId = engine && 'swarm' in engine.docker ? engine.docker.swarm?.nodeId : undefined
  const own = members.find(({ id }) => id === nodeId)
  const named = members.filter((member) => member.name === name)
  const stranger = describeStranger(name, { isAsked: nodeId !== undefined, own, named, members })
  if (stranger) return [stranger]
  return [...describeTwins(name, named), ...describeClosed(own ?? named[0]!, membership)]
}

function examineEngineState({ name, docker }: EngineReport): Finding | undefined {
  if ('problem' in docker || docker.swarm?.state === 'active') return undefined
  const state = docker.swarm?.state ?? 'unknown'
  const hint =
    state === 'locked'
      ? `docker swarm unlock on ${name}`
      : `docker swarm join-token worker on a manager prints what to run on ${name}`
  return fail('swarm', `the engine of ${name} is in no Swarm (${state})`, hint)
}

type Found = {
  /** Whether its engine has told its identifier. */
  readonly isAsked: boolean
  readonly own: Member | undefined
  readonly named: readonly Member[]
  readonly members: readonly Member[]
}

function describeStranger(name: string, { isAsked, own, named, members }: Found): Finding | undefined {
  if (own && own.name !== name) {
    const hint = `nodes: call it ${own.name} in the profile, or correct its host`
    return fail('swarm', `what the profile calls ${name} is ${own.name} in the Swarm`, hint)
  }
  if (isAsked && !own) {
    const detail = `${name} is in another Swarm than the managers of the profile`
    return fail('swarm', detail, `correct host of ${name} in the profile, or let ${name} join this Swarm`)
  }
  if (named.length > 0) return undefined
  const detail = `nodes: ${name} is the host name of no node of the Swarm, which has ${members.map((one) => one.name).join(', ')}`
  return fail('swarm', detail, 'docker node ls shows host names; a profile calls its nodes the same')
}

/** A node that left and joined again stands there twice. */
function describeTwins(name: string, named: readonly Member[]): Finding[] {
  if (named.length < 2) return []
  const stale = named.find(({ state }) => state === 'down') ?? named[0]!
  const detail = `${named.length} nodes of the Swarm are called ${name}`
  return [warn('swarm', detail, `docker node rm ${stale.id}, if that is the one which is gone`)]
}

function describeClosed(member: Member, { unreachableNodes }: Membership): Finding[] {
  const { name, state, availability } = member
  if (isOpen(member)) return []
  if (state !== 'ready') {
    const judge = unreachableNodes === 'refuse' ? fail : warn
    const hint = `see whether docker runs on ${name} and reaches port 2377 of a manager`
    return [judge('swarm', `the Swarm counts ${name} as ${state}: no task is placed there`, hint)]
  }
  const what = availability === 'drain' ? 'drained' : 'paused'
  const hint = `docker node update --availability active ${name}, or take it out of the profile`
  return [warn('swarm', `${name} is ${what}: no task is placed there`, hint)]
}
