import type { Profile } from '../config/schema.ts'
import { findDrift } from '../domain/drift.ts'
import { type Finding, fail, ok, warn } from '../domain/finding.ts'
import type { Fleet, FleetNode } from '../domain/fleet.ts'
import type { FleetRecord } from '../domain/record.ts'

/** Findings on nodes, on what differs from how it was left, and on settings that defeat each other. */
export function examineFleet(fleet: Fleet, record: FleetRecord, profile: Profile): Finding[] {
  return [
    ...fleet.nodes.map((node) => examineNode(node, profile)),
    ...examineDrift(findDrift({ ...fleet, nodes: fleet.nodes.filter(({ reachable }) => reachable) }, record)),
    examineSettings(profile),
  ]
}

function examineNode({ name, reachable, problem }: FleetNode, { update }: Profile): Finding {
  if (reachable) return ok('node', `${name} can be reached`)
  const detail = `${name} cannot be reached${problem ? `: ${problem}` : ''}`
  return update.unreachableNodes === 'refuse'
    ? fail('node', detail, 'mend it, take it out of the profile, or set update.unreachableNodes: continue')
    : warn('node', detail, 'an update goes on without it and ends with exit code 3')
}

function examineDrift(sentences: readonly string[]): Finding[] {
  if (sentences.length === 0) return [ok('drift', 'everything stands as it was left')]
  return sentences.map((sentence) => warn('drift', sentence, 'update-indices.mjs repairs it'))
}

function examineSettings({ update, gateway }: Profile): Finding {
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
