import { setTimeout as wait } from 'node:timers/promises'
import { queryModelOf } from '../../lib/domain/bridge.ts'
import { LongshoreError, messageOf } from '../../lib/domain/errors.ts'
import { findModelDifference, type Model } from '../../lib/domain/model.ts'
import { HttpError } from '../http/http-error.ts'
import type { Log } from '../http/log.ts'
import { READY, type Readiness } from '../http/service.ts'
import { type CanaryLimits, findCanaryProblem, type Measures, measureCanary } from './canary.ts'
import type { Catalog } from './catalog.ts'
import type { Search } from './search.ts'

export type CanaryState = {
  readonly state: 'waiting' | 'failed' | 'passed'
  readonly problem?: string
  readonly measures?: Measures
}

/** Decides once whether a gateway may take traffic. */
export type Canary = {
  readonly state: () => CanaryState
  readonly readiness: () => Readiness
  /** Resolves when it has passed; never otherwise. */
  readonly passed: Promise<void>
}

export type CanaryOptions = {
  readonly catalog: Catalog
  readonly search: Search
  readonly limits: CanaryLimits
  /** The model that the operator says queries are embedded with. */
  readonly model: Model | undefined
  /** How long one canary query may take, as for clients. */
  readonly timeoutMs: number
  readonly log: Log
}

const PAUSE_MS = 100

/**
 * Asks canary queries until they are answered. Who cannot be reached may come yet; an answer that is wrong stays wrong,
 * so that failing is final.
 */
export function startCanary(options: CanaryOptions): Canary {
  let current: CanaryState = { state: 'waiting', problem: 'canary queries are being asked' }
  const run = async () => {
    while (current.state === 'waiting') {
      const former = current.problem
      current = await tryCanary(options)
      if (current.problem !== former || current.state !== 'waiting') options.log('canary', current)
      if (current.state === 'waiting') await wait(PAUSE_MS)
    }
    if (current.state === 'failed') await new Promise(() => undefined)
  }
  const passed = run()
  return { state: () => current, readiness: () => describeReadiness(current), passed }
}

async function tryCanary(options: CanaryOptions): Promise<CanaryState> {
  const { catalog, search, limits, model, timeoutMs } = options
  const wanted = queryModelOf(catalog.manifest)
  const difference = model && findModelDifference(model, wanted)
  if (difference) {
    const [asked, stored] = [model[difference], wanted[difference]]
    return {
      state: 'failed',
      problem: `model: its ${difference} is ${asked}, that of ${catalog.ref.name} ${stored}`,
    }
  }
  try {
    const measures = await measureCanary({ catalog, search, timeoutMs }, limits)
    const problem = findCanaryProblem(measures)
    return problem === undefined ? { state: 'passed', measures } : { state: 'failed', problem, measures }
  } catch (error) {
    if (!(error instanceof HttpError || error instanceof LongshoreError)) throw error
    const isFinal = error instanceof HttpError && error.code === 'extraction_failed'
    return { state: isFinal ? 'failed' : 'waiting', problem: messageOf(error) }
  }
}

function describeReadiness({ state, problem }: CanaryState): Readiness {
  if (state === 'passed') return READY
  return { isReady: false, code: `canary_${state}`, message: `${state}: ${problem}` }
}
