import { type Finding, fail, orOk } from './finding.ts'
import type { HeldCopy } from './fleet.ts'
import { shardDirectory } from './manifest.ts'
import type { Member } from './swarm-members.ts'
import { readyLabel } from './swarm-names.ts'

/** What really lies on one node, read from its disk. */
export type Holding = { readonly name: string; readonly generations: readonly HeldCopy[] }

/** Findings on nodes that the scheduler believes to hold a generation which does not lie there, or not as it was. */
export function examineMarks(
  fleet: string,
  members: readonly Member[],
  holdings: readonly Holding[],
): Finding[] {
  const findings = holdings.flatMap((holding) =>
    members
      .filter(({ name }) => name === holding.name)
      .flatMap((member) => examineMember(fleet, member, holding)),
  )
  return orOk(findings, 'marks', 'nodes hold what the Swarm believes that they hold')
}

function examineMember(fleet: string, { name, labels }: Member, { generations }: Holding): Finding[] {
  const prefix = readyLabel(fleet, { name: '', digest: '' }).key
  return Object.entries(labels)
    .filter(([key]) => key.startsWith(`${prefix}dg_`))
    .flatMap(([key, value]) => {
      const [generation = '', part] = key.slice(prefix.length).split('.')
      const held = generations.find((one) => one.name === generation)
      const isMarked =
        held?.digest != null && readyLabel(fleet, { name: generation, digest: held.digest }).value === value
      if (isMarked && isThere(held, part)) return []
      const what = isMarked ? 'shards are missing there' : describeHeld(held)
      const marked = part === undefined ? generation : `${part} of ${generation}`
      const detail = `${name} is marked as holding ${marked} (${value}), but ${what}`
      return [fail('marks', detail, `deliver.mjs ${generation} brings it again`)]
    })
}

/** Whether the part of a copy that a mark tells of is there: all of it, one shard, or what belongs to none. */
function isThere({ clusters }: HeldCopy, part: string | undefined): boolean {
  if (clusters === undefined || part === 'common') return true
  return part !== undefined && clusters.some((cluster) => shardDirectory(cluster) === part)
}

function describeHeld(held: Holding['generations'][number] | undefined): string {
  if (!held) return 'it is not there'
  return held.digest === null
    ? 'its manifest there cannot be read'
    : `there lies another one (${held.digest})`
}
