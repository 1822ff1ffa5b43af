import type { FleetNode, HeldCopy } from '../domain/fleet.ts'
import { renderRanges } from '../domain/number-ranges.ts'
import type { Freeze, Quarantine, Release } from '../domain/record.ts'
import type { RunProgress } from '../domain/run-progress.ts'
import type { Task } from '../domain/service.ts'
import { renderTable } from '../domain/table.ts'
import { type Freshness, renderFreshness } from './ingest-freshness.ts'

export type Status = {
  readonly profile: string
  readonly serving: { readonly generation: string; readonly digest: string } | null
  readonly previous: string | null
  readonly gateway: { readonly url: string }
  readonly nodes: readonly FleetNode[]
  readonly services: readonly { readonly name: string; readonly tasks: readonly Task[] }[]
  readonly releases: readonly Release[]
  readonly quarantined: readonly Quarantine[]
  readonly frozen: Freeze | null
  readonly progress: RunProgress | null
  readonly holder: string | null
  /** Left out of where nothing was ever ingested. */
  readonly ingest: Freshness | null
  readonly drift: readonly string[]
}

/** How many of the newest releases people are shown. */
const RECENT = 5

/** The status for people: aligned tables, empty ones left out. */
export function renderStatus(status: Status): string {
  const sections = [
    renderTable(listFacts(status)),
    renderSection('running', listProgress(status)),
    renderSection('nodes', listNodes(status)),
    renderSection('services', listTasks(status)),
    renderSection('releases', listReleases(status)),
    renderSection(
      'quarantined',
      status.quarantined.map(({ generation, at, reason }) => [generation.name, at, reason]),
    ),
    renderSection(
      'drift',
      status.drift.map((sentence) => [sentence]),
    ),
  ]
  return sections.filter(Boolean).join('\n')
}

function listFacts({ profile, serving, previous, gateway, frozen, ingest }: Status): string[][] {
  return [
    ['profile', profile],
    ['serving', serving ? `${serving.generation} (${shorten(serving.digest)}) at ${gateway.url}` : 'nothing'],
    ['previous', previous ?? 'none'],
    ...(frozen ? [['frozen', `${frozen.generation.name} since ${frozen.since} by ${frozen.by}`]] : []),
    ...(ingest ? [['gallery', renderFreshness(ingest)]] : []),
  ]
}

/** What a run is doing now, and the step that failed last. */
function listProgress({ progress, holder }: Status): string[][] {
  const working = holder === null ? [] : [[holder]]
  if (!progress) return working
  const { command, from, to, phase, steps, done, total, startedAt } = progress
  const way = phase === 'forward' ? '' : ', going back'
  const count = total === null ? `${done} steps done` : `${done} of ${total} steps done`
  const open = steps.filter(({ state }) => state !== 'done')
  return [
    ...working,
    [`${command} ${from ?? 'nothing'} -> ${to}${way}, since ${startedAt}: ${count}`],
    ...open.map(({ name, state, endedAt, startedAt: since }) => [`${state} ${name}, ${endedAt ?? since}`]),
  ]
}

function listNodes({ nodes }: Status): string[][] {
  return nodes.map(({ name, reachable, problem, generations }) => [
    name,
    reachable ? 'reachable' : `unreachable${problem ? `: ${problem}` : ''}`,
    generations.map(describeCopy).join(', ') || 'no generation',
  ])
}

/** `dg_8`, or `dg_8 (shards 0-3,7)` where it is not all of it. */
function describeCopy({ name, clusters }: HeldCopy): string {
  if (!clusters) return name
  return clusters.length === 0 ? `${name} (no shards)` : `${name} (shards ${renderRanges(clusters)})`
}

function listTasks({ services }: Status): string[][] {
  return services.flatMap(({ name, tasks }) =>
    tasks.map((task) => [
      name,
      task.id,
      task.node,
      task.state,
      namesOf(task.generations),
      task.problem ?? '',
    ]),
  )
}

function listReleases({ releases }: Status): string[][] {
  const recent = releases.slice(-RECENT).reverse()
  return recent.map(({ id, generation, command, at, by }) => [`#${id}`, generation.name, command, at, by])
}

function renderSection(title: string, rows: readonly (readonly string[])[]): string {
  return rows.length > 0
    ? `${title}\n${renderTable(rows.map(([first = '', ...rest]) => [`  ${first}`, ...rest]))}`
    : ''
}

function namesOf(generations: readonly { readonly name: string }[]): string {
  return generations.map(({ name }) => name).join(', ')
}

function shorten(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12)
}
