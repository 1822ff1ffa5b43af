import type { Move } from './verdict.ts'

/** The profile of fleets that lose nodes: what is lost is soon noticed, and one task of each service is enough. */
export const FAULTS_PROFILE = {
  ssh: { connectSeconds: 3, keepAliveSeconds: 2 },
  swarm: { lameDuckSeconds: 0, graceSeconds: 4, monitorSeconds: 0.2 },
  gateway: { replicas: 1 },
  index: { replicas: 1 },
  update: { deadlineSeconds: 60, leaseSeconds: 5, keep: 0 },
}

/** Moves from each of `dg_1`, `dg_2` and `dg_3` to the next, from the last one to the first: it was served longest ago. */
export function createMoves(): () => Move {
  let served = 1
  return () => {
    const former = `dg_${served}`
    served = (served % 3) + 1
    return { target: `dg_${served}`, former }
  }
}
