import { type Finding, fail, ok, warn } from '../domain/finding.ts'
import { type Fleet, type FleetNode, isHeld } from '../domain/fleet.ts'
import { computeContentDigest, countBytes, type Manifest, refOf } from '../domain/manifest.ts'
import type { FleetRecord } from '../domain/record.ts'
import { findQuarantine, isFrozen } from '../domain/record-rules.ts'
import { findCandidate } from './admission.ts'
import type { FleetContext } from './context.ts'

/** Findings on the newest generation: whether it is whole, may be served, and fits on every node. */
export async function examineGenerations(
  context: FleetContext,
  fleet: Fleet,
  record: FleetRecord,
): Promise<Finding[]> {
  const names = await context.generations.list()
  const newest = names.at(-1)
  if (newest === undefined) {
    return [
      warn(
        'generation',
        `there is none in ${context.profile.generations}`,
        'split-index.mjs makes the first one',
      ),
    ]
  }
  const candidate = await findCandidate(context, newest)
  if (!candidate.manifest) {
    return [fail('generation', candidate.problem.message, 'split it again, or delete it')]
  }
  const { manifest } = candidate
  const nodes = fleet.nodes.filter(({ reachable }) => reachable)
  return [
    ok('generation', `${newest} of ${names.length} has a sound manifest`),
    examineStanding(manifest, record),
    ...nodes.map((node) => examineDisk(node, manifest)),
    ...nodes.map((node) => examineMemory(node, manifest)),
  ]
}

function examineStanding(manifest: Manifest, record: FleetRecord): Finding {
  const { generation } = manifest
  const bad = findQuarantine(record, manifest, computeContentDigest(manifest))
  const hint = `an unattended update ends with exit code 14; split a better one, or update-indices.mjs ${generation} --force`
  if (bad) return warn('standing', `${generation} is quarantined: ${bad.reason}`, hint)
  if (isFrozen(record, refOf(manifest)))
    return warn('standing', `${generation} is frozen after a rollback`, hint)
  return ok('standing', `${generation} may be served`)
}

function examineDisk(node: FleetNode, manifest: Manifest): Finding {
  if (isHeld(node, refOf(manifest))) return ok('disk', `${node.name} holds ${manifest.generation} already`)
  const bytes = countBytes(manifest)
  const detail = `${node.name} has ${inMiB(node.freeBytes)} free, ${manifest.generation} needs ${inMiB(bytes)}`
  return node.freeBytes >= bytes
    ? ok('disk', detail)
    : fail('disk', detail, `free some space on ${node.name}`)
}

/** Two generations are mapped side by side during an update, and are fast only while they fit in memory. */
function examineMemory(node: FleetNode, manifest: Manifest): Finding {
  const bytes = 2 * countBytes(manifest)
  const detail = `${node.name} has ${inMiB(node.memoryBytes)}, two generations need ${inMiB(bytes)}`
  return node.memoryBytes >= bytes
    ? ok('memory', detail)
    : warn('memory', detail, 'searches read from disk while two generations are loaded')
}

function inMiB(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}
