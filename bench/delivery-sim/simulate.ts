import { createPiecePlanner, type PiecePlanner } from '../../lib/domain/piece-planner.ts'
import { type Simulation, World } from './world.ts'

export type Simulated = {
  /** When each node had everything, ms since it joined; Infinity for one that never did. */
  readonly tookMs: readonly number[]
  readonly controlBytes: number
  readonly events: number
}

/** Runs the planner that deliveries use against simulated links, until every node that lives has everything. */
export function simulate(simulation: Simulation): Simulated {
  const { pieces, pieceBytes, seed } = simulation
  const planner = createPiecePlanner({ pieces: new Uint32Array(pieces).fill(pieceBytes), seed })
  const world = new World(simulation, planner)
  const happenings = listHappenings(simulation, { world, planner })
  let next = 0
  let events = 0
  while (!world.isOver) {
    const happening = happenings[next]
    const at = Math.min(world.due, planner.wakeAt(), happening?.at ?? Number.POSITIVE_INFINITY)
    if (at === Number.POSITIVE_INFINITY) break
    events++
    const isDue = world.due <= at
    world.now = at
    if (happening && happening.at <= at) {
      happening.happen()
      next++
      if (happenings[next]?.at === at) continue
    } else if (isDue && !world.happen()) continue
    world.order(planner.next(at))
  }
  return { tookMs: world.tookMs, controlBytes: world.controlBytes, events }
}

type Happening = { readonly at: number; happen(): void }

/** What happens to nodes and not to transfers, in its order. */
function listHappenings(
  { nodes, noticeMs }: Simulation,
  { world, planner }: { world: World; planner: PiecePlanner },
): Happening[] {
  const joins = nodes.map((node) => ({ at: node.joinsAt ?? 0, happen: () => world.join(node) }))
  const deaths = nodes.flatMap(({ diesAt }, index) => {
    if (diesAt === undefined) return []
    const notice = { at: diesAt + noticeMs, happen: () => planner.leave(index, world.now) }
    return [{ at: diesAt, happen: () => world.die(index) }, notice]
  })
  return [...joins, ...deaths].sort((one, other) => one.at - other.at)
}
