import type { Profile } from '../config/schema.ts'
import { findDrift } from '../domain/drift.ts'
import { type Finding, fail, ok, warn } from '../domain/finding.ts'
import type { Fleet, FleetNode } from '../domain/fleet.ts'
import type { FleetRecord } from '../domain/record.ts'

/** Whether nodes can be reached. */
export function examineNodes(nodes: readonly FleetNode[], profile: Profile): Finding[] {
  return nodes.map((node) => examineNode(node, profile))
}

/** Findings on what stands otherwise than it was left. */
export function examineDrift(fleet: Fleet, record: FleetRecord): Finding[] {
  const nodes = fleet.nodes.filter(({ reachable }) => reachable)
  const sentences = findDrift({ ...fleet, nodes }, record)
  if (sentences.length === 0) return [ok('drift', 'everything stands as it was left')]
  return sentences.map((sentence) => warn('drift', sentence, 'update-indices.mjs repairs it'))
}

/** Whether settings defeat each other. */
export function examineSettings({ update, gateway }: Profile): Finding {
  if (update.deadlineSeconds < gateway.timeoutSeconds) {
    return warn(
      'settings',
      `update.deadlineSeconds is ${update.deadlineSeconds}, less than gateway.timeoutSeconds ${gateway.timeoutSeconds}`,
      'a task that still answers would count as failed; raise the deadline',
    )
  }
  if (update.soakSeconds === 0) {
    return warn('settings', 'update.soakSeconds is 0', 'a generation that fails late is not brought back')
  }
  return ok('settings', `deadline ${update.deadlineSeconds} s, soak ${update.soakSeconds} s`)
}

function examineNode({ name, reachable, problem, hint }: FleetNode, { update }: Profile): Finding {
  if (reachable) return ok('node', `${name} can be reached`)
  const detail = `${name} cannot be reached${problem ? `: ${problem}` : ''}`
  const mend = hint ?? `mend ${name}`
  return update.unreachableNodes === 'refuse'
    ? fail(
        'node',
        detail,
        `${mend}; else take it out of the profile, or set update.unreachableNodes: continue`,
      )
    : warn('node', detail, `${mend}; meanwhile an update goes on without it and ends with exit code 3`)
}
