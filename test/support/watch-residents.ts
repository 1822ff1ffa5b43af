import { setTimeout as wait } from 'node:timers/promises'
import { createLocalOrchestrator } from '../../lib/adapters/local/orchestrator.ts'
import { listResidents } from './groups-model.ts'

export type ResidentsWatch = {
  /** How often it has looked. */
  readonly looks: () => number
  /** Stops, and resolves to every place where two generations of a shard were resident at one time. */
  stop(): Promise<readonly string[]>
}

const PAUSE_MS = 50

/** Looks again and again at what the tasks of a local engine really hold. */
export function watchResidents(state: string): ResidentsWatch {
  const orchestrator = createLocalOrchestrator({ state })
  const never = new AbortController().signal
  const crowded = new Set<string>()
  let looks = 0
  let isStopped = false
  const look = async () => {
    while (!isStopped) {
      const services = await orchestrator.observe(never)
      looks++
      for (const [place, names] of listResidents({ nodes: [], services })) {
        if (names.size > 1) crowded.add(`${place}: ${[...names].join(' and ')}`)
      }
      await wait(PAUSE_MS)
    }
  }
  const looking = look()
  return {
    looks: () => looks,
    stop: async () => {
      isStopped = true
      await looking
      return [...crowded]
    },
  }
}
