import { type Finding, fail, orOk, warn } from './finding.ts'
import { isMet } from './placement-constraint.ts'
import type { Making, RawSpec } from './swarm-making.ts'
import { isOpen, type Member } from './swarm-members.ts'

export type GatewayNeeds = {
  readonly replicas: number
  readonly publish: 'ingress' | 'host'
  /** Names in the profile of the nodes that may run it. */
  readonly nodes: readonly string[]
}

/** Findings on services that no node, or too few, may run: their tasks would be waited for without end. */
export function examinePlacement(makings: readonly Making[], members: readonly Member[]): Finding[] {
  if (makings.length === 0) return []
  const findings = makings.flatMap(({ name, actual }) => examineService(name, actual, members))
  return orOk(findings, 'placement', 'every service has nodes that meet its constraints')
}

/** Findings on a gateway that has its port on the nodes themselves: two tasks of it cannot share one. */
export function examineHostPort(needs: GatewayNeeds, members: readonly Member[]): Finding[] {
  const { replicas, publish, nodes } = needs
  if (publish === 'ingress') return []
  const open = members.filter((member) => isOpen(member) && nodes.includes(member.name))
  const crowd = `with swarm.publish host every node has room for one gateway task`
  const names = open.map(({ name }) => name).join(', ') || 'none'
  if (replicas > open.length) {
    const detail = `${crowd}: gateway.replicas is ${replicas}, nodes that take tasks are ${names}`
    const hint = `set gateway.replicas to ${Math.max(1, open.length)}, or bring more nodes`
    return [fail('placement', detail, hint)]
  }
  if (replicas < open.length) return []
  if (replicas < nodes.length) {
    const detail = `${crowd}: a new task beside the ${replicas} old ones would wait for ever, as only ${names} take tasks`
    const hint = `set gateway.replicas to ${Math.max(1, replicas - 1)}, or bring the other nodes back`
    return [fail('placement', detail, hint)]
  }
  const detail = `${crowd}: ${replicas} tasks on ${open.length} nodes are replaced one by one, and the port of each is closed meanwhile`
  const hint = 'let clients try another node, or set gateway.replicas below the number of nodes'
  return [warn('placement', detail, hint)]
}

function examineService(name: string, spec: RawSpec, members: readonly Member[]): Finding[] {
  const constraints = spec.TaskTemplate.Placement?.Constraints ?? []
  const open = members.filter(isOpen)
  const meeting = open.filter((member) => constraints.every((constraint) => isMet(constraint, member)))
  if (meeting.length === 0) return [describeNowhere(name, constraints, open)]
  const { NanoCPUs = 0, MemoryBytes = 0 } = spec.TaskTemplate.Resources?.Reservations ?? {}
  if (meeting.every(({ memoryBytes, nanoCpus }) => memoryBytes < MemoryBytes || nanoCpus < NanoCPUs)) {
    const detail = `no node has what one task of ${name} reserves (${NanoCPUs / 1e9} processors, ${MemoryBytes} bytes)`
    return [fail('placement', detail, 'lower reservations in swarm.resources of the profile')]
  }
  const hasHostPort = spec.EndpointSpec?.Ports?.some(({ PublishMode }) => PublishMode === 'host')
  const replicas = spec.Mode.Replicated?.Replicas ?? 1
  if (!hasHostPort || replicas <= meeting.length) return []
  const detail = `${name} has ${replicas} tasks with a port on their node, but only ${meeting.map((one) => one.name).join(', ')} may run one`
  return [fail('placement', detail, `bring more nodes, or lower the replicas of ${name} in the profile`)]
}

/** Names the constraint to blame, where one alone rules out every node. */
function describeNowhere(name: string, constraints: readonly string[], open: readonly Member[]): Finding {
  const culprit = constraints.find((constraint) => !open.some((member) => isMet(constraint, member)))
  const what = culprit === undefined ? `all of ${constraints.join(', ')}` : culprit
  const detail = `no node that takes tasks meets what ${name} asks for: ${what}`
  const hint = culprit?.includes('.dg_')
    ? 'deliver.mjs brings the generation to nodes and marks them; or bring back those that have it'
    : 'docker node ls shows which nodes take tasks; docker node inspect, their labels'
  return fail('placement', detail, hint)
}
