import type { PiecePlanner } from '../../lib/domain/piece-planner.ts'
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
  /** In the order in which they join. */
  readonly nodes: readonly SimulatedNode[]
  readonly pieces: number
  readonly pieceBytes: number
  readonly controlRate: number
  readonly roundTripMs: number
  /** How long the command takes to notice that a node died. */
  readonly noticeMs: number
  readonly seed: number
}

type Transfer = Flow & Due & { readonly fetch: Fetch; state: 'ordered' | 'flowing' | 'reported' }

type Place = {
  readonly up: Link
  readonly down: Link
  readonly have: PieceSet
  readonly joinedAt: number
  /** Transfers that wait for another one on the same connection. */
  readonly queue: Transfer[]
  missing: number
  isDead: boolean
}

/** Nodes, links and what is on its way; it tells the planner what the command would hear, when it would hear it. */
export class World {
  now = 0
  controlBytes = 0
  /** When each node had everything, ms since it joined; Infinity for one that has not. */
  readonly tookMs: number[]
  readonly #simulation: Simulation
  readonly #planner: PiecePlanner
  readonly #control: Link
  readonly #places: Place[] = []
  readonly #heap = createEventHeap<Transfer>()
  readonly #moved = (flow: Flow) => this.#heap.move(flow as Transfer)
  #waiting: number

  constructor(simulation: Simulation, planner: PiecePlanner) {
    this.#simulation = simulation
    this.#planner = planner
    this.#control = createLink(simulation.controlRate)
    this.#waiting = simulation.nodes.length
    this.tookMs = simulation.nodes.map(() => Number.POSITIVE_INFINITY)
  }

  /** Whether every node that lives has everything. */
  get isOver(): boolean {
    return this.#waiting === 0
  }

  /** When the next thing happens to a transfer. */
  get due(): number {
    return this.#heap.first()?.due ?? Number.POSITIVE_INFINITY
  }

  join({ rate, have = [] }: SimulatedNode): void {
    this.#planner.join(have, this.now)
    const { pieces } = this.#simulation
    const held = createPieceSet(pieces)
    for (const piece of have) addPiece(held, piece)
    const [up, down, missing] = [createLink(rate), createLink(rate), pieces - have.length]
    this.#places.push({ up, down, have: held, joinedAt: this.now, queue: [], missing, isDead: false })
  }

  /** A node dies: what flows from and to it hangs, and nobody says anything. */
  die(index: number): void {
    const place = this.#places[index]!
    place.isDead = true
    if (place.missing > 0) this.#waiting--
    for (const flow of [...place.up.flows, ...place.down.flows]) this.#drop(flow as Transfer)
  }

  /** Fetches reach the nodes after half a round trip, and those from other nodes begin a whole one later. */
  order(fetches: readonly Fetch[]): void {
    const { pieceBytes, roundTripMs } = this.#simulation
    for (const fetch of fetches) {
      const source = this.#places[fetch.from]
      const due = this.now + (source ? 1.5 : 0.5) * roundTripMs
      const ends = { out: source?.up ?? this.#control, into: this.#places[fetch.to]!.down }
      const flow = { ...ends, left: pieceBytes, at: this.now, rate: 0, most: 0, due }
      this.#heap.add({ ...flow, fetch, state: 'ordered', place: 0 })
    }
  }

  /** The next thing that happens to a transfer; whether the planner was told of it. */
  happen(): boolean {
    const transfer = this.#heap.first()!
    if (transfer.state === 'ordered') this.#begin(transfer)
    else if (transfer.state === 'flowing') this.#finish(transfer)
    else {
      this.#heap.remove(transfer)
      if (this.#places[transfer.fetch.to]!.isDead) return false
      this.#planner.received(transfer.fetch, this.now)
      return true
    }
    return false
  }

  #begin(transfer: Transfer): void {
    const { to, from, piece } = transfer.fetch
    const sink = this.#places[to]!
    if (sink.isDead || this.#places[from]?.isDead || hasPiece(sink.have, piece)) {
      this.#heap.remove(transfer)
      this.#beginNext(transfer)
    } else if (sink.down.flows.some(({ out }) => out === transfer.out)) {
      // Pieces for one node from one other follow each other on one connection.
      this.#heap.remove(transfer)
      sink.queue.push(transfer)
    } else {
      transfer.state = 'flowing'
      addFlow(transfer, this.now, this.#moved)
    }
  }

  #finish(transfer: Transfer): void {
    const { to, piece } = transfer.fetch
    this.#stop(transfer)
    transfer.state = 'reported'
    transfer.due = this.now + this.#simulation.roundTripMs / 2
    this.#heap.move(transfer)
    const sink = this.#places[to]!
    addPiece(sink.have, piece)
    const others = sink.down.flows.filter((flow) => (flow as Transfer).fetch.piece === piece)
    for (const flow of others) this.#drop(flow as Transfer)
    if (--sink.missing > 0) return
    this.tookMs[to] = this.now - sink.joinedAt
    this.#waiting--
  }

  #drop(transfer: Transfer): void {
    this.#stop(transfer)
    this.#heap.remove(transfer)
  }

  #stop(transfer: Transfer): void {
    removeFlow(transfer, this.now, this.#moved)
    if (transfer.out === this.#control) {
      this.controlBytes += this.#simulation.pieceBytes - Math.max(0, transfer.left)
    }
    this.#beginNext(transfer)
  }

  #beginNext({ out, fetch }: Transfer): void {
    const { queue } = this.#places[fetch.to]!
    const position = queue.findIndex((waiting) => waiting.out === out)
    const [next] = position < 0 ? [] : queue.splice(position, 1)
    if (!next) return
    next.due = this.now
    this.#heap.add(next)
  }
}
