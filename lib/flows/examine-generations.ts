import { type Finding, fail, ok, warn } from '../domain/finding.ts'
import type { FleetNode } from '../domain/fleet.ts'
import { computeContentDigest, type Manifest, refOf } from '../domain/manifest.ts'
import { bytesFor, isHeldAsWanted, listLacking, type Shape } from '../domain/placement.ts'
import type { Strategy } from '../domain/plan-services.ts'
import type { FleetRecord } from '../domain/record.ts'
import { findQuarantine, isFrozen } from '../domain/record-rules.ts'
import { findCandidate } from './admission.ts'
import { attempt } from './attempt.ts'
import type { FleetContext } from './context.ts'
import { shapeOf } from './shape.ts'

const READ_MS = 5000

/**
 * Findings on the newest generation: whether it is whole, may be served (by the record, where that could be read), and
 * fits on every node that can be reached; and on copies of others that differ from those here.
 */
export async function examineGenerations(
  context: FleetContext,
  all: readonly FleetNode[],
  record: FleetRecord | null,
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
  const nodes = all.filter(({ reachable }) => reachable)
  const shape = shapeOf(manifest, context.profile)
  return [
    ok('generation', `${newest} of ${names.length} has a sound manifest`),
    ...(record ? [examineStanding(manifest, record)] : []),
    ...(await examineCopies(context, nodes, names)),
    ...nodes.map((node) => examineDisk(node, shape)),
    ...nodes.map((node) => examineMemory(node, shape, context.profile.update.strategy)),
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

/** Copies on nodes of which this machine has another, under the same name. */
async function examineCopies(
  { generations, signal }: FleetContext,
  nodes: readonly FleetNode[],
  names: readonly string[],
): Promise<Finding[]> {
  const held = names.filter((name) => nodes.some((node) => node.generations.some((one) => one.name === name)))
  const own = await Promise.all(
    held.map((name) => attempt(() => generations.read(name), { signal, limitMs: READ_MS })),
  )
  return own.flatMap((one) => ('value' in one ? nodes.flatMap((node) => examineCopy(node, one.value)) : []))
}

function examineCopy({ name, generations }: FleetNode, { generation, digest }: Manifest): Finding[] {
  const copy = generations.find((one) => one.name === generation)
  if (!copy || copy.digest === digest) return []
  if (copy.digest === null) {
    const detail = `the manifest of ${generation} on ${name} cannot be read`
    return [fail('copy', detail, `deliver.mjs ${generation} brings it again`)]
  }
  const detail = `${name} holds another ${generation} (${copy.digest}) than this machine (${digest})`
  return [warn('copy', detail, `give what was split anew another name than ${generation}`)]
}

function examineDisk(node: FleetNode, shape: Shape): Finding {
  const { name } = shape.generation
  if (isHeldAsWanted(node, shape)) return ok('disk', `${node.name} holds ${describePart(shape)} already`)
  const bytes = listLacking(node, shape).reduce((sum, part) => sum + part.bytes, 0)
  const detail = `${node.name} has ${inMiB(node.freeBytes)} free, ${name} needs ${inMiB(bytes)}`
  return node.freeBytes >= bytes
    ? ok('disk', detail)
    : fail('disk', detail, `free some space on ${node.name}`)
}

function describePart({ generation, portions }: Shape): string {
  return portions ? `its part of ${generation.name}` : generation.name
}

/** What an update maps at a time is fast only while it fits in memory. */
function examineMemory(node: FleetNode, shape: Shape, strategy: Strategy): Finding {
  const isSideBySide = strategy === 'side-by-side'
  const bytes = (isSideBySide ? 2 : 1) * bytesFor(shape, node.name)
  const what = isSideBySide ? 'two generations need' : `${shape.generation.name} needs`
  const detail = `${node.name} has ${inMiB(node.memoryBytes)}, ${what} ${inMiB(bytes)}`
  const hint = isSideBySide
    ? 'searches read from disk while two are loaded; update.strategy: replica-groups loads one at a time'
    : 'searches read from disk'
  return node.memoryBytes >= bytes ? ok('memory', detail) : warn('memory', detail, hint)
}

function inMiB(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}
