import { createPiecePlanner, type PiecePlanner } from '../../lib/domain/piece-planner.ts'
import type { Fetch } from '../../lib/domain/piece-planner-types.ts'
import { addPiece, createPieceSet, hasPiece, type PieceSet } from '../../lib/domain/piece-set.ts'
import { createEventHeap, type Due } from './event-heap.ts'
import { addFlow, createLink, type Flow, type Link, removeFlow } from './links.ts'

/** A node as the simulation makes it; times in ms, rates in bytes per ms in both directions at once. */
export type SimulatedNode = {
  readonly rate: number
  /** When it loses power; never where it is left out. */
  readonly diesAt?: number
  readonly joinsAt?: number
  /** Pieces from an earlier run. */
  readonly have?: readonly number[]
}

export type Simulation = {
  readonly nodes: readonly SimulatedNode[]
  readonly pieces: number
  readonly pieceBytes: number
  readonly controlRate: number
  readonly roundTripMs: number
  /** How long the command takes to notice that a node died. */
  readonly noticeMs: number
  readonly seed: number
}

export type Simulated = {
  /** When each node had everything, ms since it joined; Infinity for one that never did. */
  readonly tookMs: readonly number[]
  readonly controlBytes: number
  readonly events: number
}

type Transfer = Flow & Due & { readonly fetch: Fetch; state: 'ordered' | 'flowing' | 'reported' | 'hanging' }
type Place = {
  up: Link
  queue: Transfer[]
  down: Link
  have: PieceSet
  missing: number
  isDead: boolean
  joinedAt: number
}

/** Runs the planner that deliveries use against simulated links, until every node that lives has everything. */
export function simulate(simulation: Simulation): Simulated {
  const { nodes, pieces, pieceBytes, noticeMs, seed } = simulation
  const planner = createPiecePlanner({ pieces: new Uint32Array(pieces).fill(pieceBytes), seed })
  const world = createWorld(simulation, planner)
  const tell = (at: number, happen: () => void) => ({ at, happen })
  const happenings = nodes
    .flatMap((node, index) => [
      tell(node.joinsAt ?? 0, () => world.join(node)),
      ...(node.diesAt === undefined
        ? []
        : [
            tell(node.diesAt, () => world.die(index)),
            tell(node.diesAt + noticeMs, () => planner.leave(index, world.now())),
          ]),
    ])
    .sort((one, other) => one.at - other.at)
  let next = 0
  let events = 0
  for (;;) {
    const due = world.due()
    const happening = happenings[next]
    const at = Math.min(due, planner.wakeAt(), happening?.at ?? Number.POSITIVE_INFINITY)
    if (at === Number.POSITIVE_INFINITY || world.isOver()) break
    events++
    world.goTo(at)
    if (happening && happening.at <= at) {
      happening.happen()
      next++
      if (happenings[next]?.at === at) continue
    } else if (due <= at && !world.happen()) continue
    world.order(planner.next(at))
  }
  return { ...world.result(), events }
}

function createWorld(
  { pieces, pieceBytes, controlRate, roundTripMs, nodes }: Simulation,
  planner: PiecePlanner,
) {
  const control = createLink(controlRate)
  const places: Place[] = []
  const tookMs = nodes.map(() => Number.POSITIVE_INFINITY)
  const heap = createEventHeap<Transfer>()
  const moved = (flow: Flow) => heap.move(flow as Transfer)
  let now = 0
  let controlBytes = 0
  let waiting = nodes.length

  function stop(transfer: Transfer): void {
    removeFlow(transfer, now, moved)
    if (transfer.out === control) controlBytes += pieceBytes - Math.max(0, transfer.left)
    startNext(transfer)
  }

  function startNext(transfer: Transfer): void {
    const { queue } = places[transfer.fetch.to]!
    const next = queue.find(({ out }) => out === transfer.out)
    if (!next) return
    queue.splice(queue.indexOf(next), 1)
    next.due = now
    heap.add(next)
  }

  function begin(transfer: Transfer): void {
    const { to, from, piece } = transfer.fetch
    const sink = places[to]!
    if (sink.isDead || places[from]?.isDead || hasPiece(sink.have, piece)) {
      heap.remove(transfer)
      startNext(transfer)
      return
    }
    // Pieces for one node from one other follow each other on one connection.
    if (sink.down.flows.some(({ out }) => out === transfer.out)) {
      heap.remove(transfer)
      sink.queue.push(transfer)
      return
    }
    transfer.state = 'flowing'
    addFlow(transfer, now, moved)
  }

  function finish(transfer: Transfer): void {
    const { to, piece } = transfer.fetch
    stop(transfer)
    transfer.state = 'reported'
    transfer.due = now + roundTripMs / 2
    heap.move(transfer)
    const sink = places[to]!
    addPiece(sink.have, piece)
    for (const flow of sink.down.flows.filter((each) => (each as Transfer).fetch.piece === piece)) {
      stop(flow as Transfer)
      heap.remove(flow as Transfer)
    }
    if (--sink.missing > 0) return
    tookMs[to] = now - sink.joinedAt
    waiting--
  }

  return {
    now: () => now,
    due: () => heap.first()?.due ?? Number.POSITIVE_INFINITY,
    goTo(at: number) {
      now = at
    },
    isOver: () => waiting === 0,
    join({ rate, have = [] }: SimulatedNode) {
      planner.join(have, now)
      const held = createPieceSet(pieces)
      for (const piece of have) addPiece(held, piece)
      const missing = pieces - have.length
      places.push({
        up: createLink(rate),
        down: createLink(rate),
        queue: [],
        have: held,
        missing,
        isDead: false,
        joinedAt: now,
      })
    },
    /** What flows from and to it hangs: nobody says anything. */
    die(index: number) {
      const place = places[index]!
      place.isDead = true
      if (place.missing > 0) waiting--
      for (const flow of [...place.up.flows, ...place.down.flows]) {
        stop(flow as Transfer)
        heap.remove(flow as Transfer)
      }
    },
    order(fetches: readonly Fetch[]) {
      for (const fetch of fetches) {
        const source = places[fetch.from]
        const due = now + (source ? 1.5 : 0.5) * roundTripMs
        const links = { out: source?.up ?? control, into: places[fetch.to]!.down }
        heap.add({
          fetch,
          state: 'ordered',
          ...links,
          left: pieceBytes,
          at: now,
          rate: 0,
          most: 0,
          due,
          place: 0,
        })
      }
    },
    /** The next thing that happens to a transfer; whether the planner was told of it. */
    happen(): boolean {
      const transfer = heap.first()!
      if (transfer.state === 'ordered') begin(transfer)
      else if (transfer.state === 'flowing') finish(transfer)
      else {
        heap.remove(transfer)
        if (places[transfer.fetch.to]!.isDead) return false
        planner.received(transfer.fetch, now)
        return true
      }
      return false
    },
    result: () => ({ tookMs, controlBytes }),
  }
}
