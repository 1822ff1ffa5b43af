import { LongshoreError } from './errors.ts'
import type { FileEntry } from './manifest.ts'
import type { Clear, ModelService } from './model-service.ts'
import type { Step } from './plan.ts'
import type { ServiceRoute } from './route-table.ts'
import { isEnd, type MoveDefinition, type MoveRecord } from './service-move.ts'
import type { PlannedOrder } from './service-order.ts'

/** A step of a move: `key` names it in the record, `percent` is what the target gets from then on. */
export type MoveStep = Step & {
  readonly key:
    | 'route'
    | 'copy'
    | 'create'
    | 'warm'
    | 'compare'
    | `redirect ${number}`
    | 'detach'
    | 'delete'
    | 'drop'
  readonly percent?: number
}
export type MovePlan = { readonly steps: readonly MoveStep[] }

/** What was found before planning. */
export type MoveFacts = {
  readonly record: MoveRecord | undefined
  readonly source: ModelService | undefined
  readonly target: ModelService | undefined
  /** Of the name that clients use. */
  readonly route: ServiceRoute | undefined
  readonly repository: {
    /** `here` where both services use the very same directory. */
    readonly state: 'absent' | 'whole' | 'other' | 'here'
    /** Of the files. */
    readonly digest: string
    readonly directory: string
    readonly node: string | undefined
    readonly files: readonly FileEntry[]
  }
  readonly order: PlannedOrder
  readonly clear: Clear
  /** Names of other services that use the source's repository. */
  readonly sharers: readonly string[]
}

type Draft = Omit<MoveStep, 'batch'>

/**
 * The steps from what stands to the target answering all requests. What the record says is done is not done again, unless the target
 * has lost the service since. Raises `gate` for a service or for files at the target that are not of this move.
 */
export function planMove(move: MoveDefinition, facts: MoveFacts): MovePlan {
  refuseForeign(move, facts)
  const { record, target } = facts
  const passed = new Set(target ? (record?.passed ?? []) : [])
  const steps: Draft[] = [
    ...planRoute(move, facts),
    ...planCopy(move, facts),
    ...(target ? [] : [planCreate(move, facts)]),
    ...planTrial(move).filter(({ key }) => !passed.has(key)),
    ...planRedirects(move).filter(({ key }) => !passed.has(key)),
  ]
  return number(steps)
}

/** The steps that give up the former service once the target answers all requests. */
export function planFinish(move: MoveDefinition, { source, clear, sharers }: MoveFacts): MovePlan {
  const { url, service } = move.source
  const chosen = chooseClear(clear, sharers)
  const kept =
    chosen === clear
      ? ''
      : `; its repository stays, where clear: ${clear} would take it from ${sharers.join(', ')}`
  const detach: Draft = {
    ...{ key: 'detach', action: 'switch', target: move.service, node: hostOf(move.target.url) },
    cause: `${service} at ${url} shall get no request any more`,
  }
  const remove: Draft = {
    ...{ key: 'delete', action: 'stop', target: service, node: hostOf(url) },
    cause: `${move.target.service} at ${move.target.url} answers in its place${kept}`,
  }
  return number(source ? [detach, remove] : [detach])
}

/** The steps that give all requests back to the source. */
export function planReturn(move: MoveDefinition, cause: string): MovePlan {
  const { source, target } = move
  return number([
    { key: 'redirect 0', action: 'switch', target: move.service, node: hostOf(source.url), cause },
    {
      ...{ key: 'drop', action: 'stop', target: target.service, node: hostOf(target.url) },
      cause: 'nobody asks it any more; its files stay',
    },
  ])
}

/** What goes of a repository that others use as well: nothing of its files. */
export function chooseClear(clear: Clear, sharers: readonly string[]): Clear {
  return sharers.length > 0 ? 'mem' : clear
}

function refuseForeign({ name, target }: MoveDefinition, facts: MoveFacts): void {
  const { record, repository } = facts
  if (facts.target && !record?.isOwn) {
    throw new LongshoreError(
      'gate',
      `${target.service} at ${target.url} is there already, and not of the move ${name}`,
      { hint: 'name another service in target.service of the profile, or delete that one' },
    )
  }
  if (repository.state === 'other' && !record?.copied) {
    throw new LongshoreError('gate', `${repository.directory} holds other files than the source`, {
      hint: 'name another directory in target.repository of the profile: nothing is overwritten',
    })
  }
}

function planRoute({ service, source, target }: MoveDefinition, { route }: MoveFacts): Draft[] {
  if (route?.backends.some((one) => isEnd(one, source) || isEnd(one, target))) return []
  const cause = route
    ? `the router sends its requests elsewhere than to ${source.url}`
    : 'the router does not know it yet'
  return [{ key: 'route', action: 'change', target: service, node: hostOf(source.url), cause }]
}

function planCopy({ source }: MoveDefinition, { repository, record }: MoveFacts): Draft[] {
  const { state, directory, node, files, digest } = repository
  if (state === 'here' || record?.passed.includes('copy')) return []
  // The server has written to what was copied; the files are those all the same.
  if (state === 'other' && record?.copied === digest) return []
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const what = `${files.length} ${files.length === 1 ? 'file' : 'files'} of ${source.service}`
  const cause = `${what} ${COPY_CAUSES[state]}`
  const step: Draft = { key: 'copy', action: 'deliver', target: directory, cause }
  return [{ ...step, ...(node !== undefined && { node }), ...(state === 'whole' ? {} : { bytes }) }]
}

const COPY_CAUSES = {
  absent: 'are not there yet',
  whole: 'are there already; they are read once more',
  other: 'have changed since the copy of an earlier attempt',
}

function planCreate({ source, target }: MoveDefinition, { order }: MoveFacts): Draft {
  const how = [`with the parameters of ${source.service} at ${source.url}`, ...order.notes].join('; ')
  return { key: 'create', action: 'start', target: target.service, node: hostOf(target.url), cause: how }
}

function planTrial({ source, target }: MoveDefinition): Draft[] {
  const node = hostOf(target.url)
  const first = 'the first prediction loads the model, and no client shall wait for that'
  const alike = `it must answer as ${source.service} at ${source.url} does before any client hears it`
  return [
    { key: 'warm', action: 'load', target: target.service, node, cause: first },
    { key: 'compare', action: 'check', target: target.service, node, cause: alike },
  ]
}

function planRedirects({ service, target, percents }: MoveDefinition): Draft[] {
  return percents.map((percent, at) => ({
    ...{ key: `redirect ${percent}` as const, percent, action: 'switch', target: service },
    node: hostOf(target.url),
    cause:
      at === 0
        ? `${percent} % of the requests show what no comparison does`
        : `${percent} % of the requests, after ${percents[at - 1]} % went well`,
  }))
}

/** Each step waits for the one before it. */
function number(steps: readonly Draft[]): MovePlan {
  return { steps: steps.map((step, at) => ({ batch: at + 1, ...step })) }
}

function hostOf(url: string): string {
  return url.replace(/^https?:\/\//, '')
}
