import { LongshoreError } from '../../domain/errors.ts'
import type { FileEntry, Manifest } from '../../domain/manifest.ts'
import type { Fetch } from '../../domain/piece-planner-types.ts'
import { selectFiles } from '../../domain/portions.ts'
import type { DeliverOptions } from '../../ports/transport.ts'
import type { Order, Peer, RebuiltFile } from './protocol.ts'
import { PutFlow } from './put-flow.ts'
import { type RelayLink, RelayProblem } from './start-relay.ts'

/** Bytes per millisecond that every disk reads and writes. */
const SLOWEST_DISK = 10_000
/** Whoever has nothing to do may wait for others, until these too must have been given up. */
const IDLE_FACTOR = 4

/** What a node is to get, and who hears of it. */
export type Joining = DeliverOptions & {
  readonly node: string
  /** Absolute path of the directory of generations on the node. */
  readonly directory: string
  /** What to make of the files once they are there: those of a manifest, from a held generation and a patch. */
  readonly rebuild?: { readonly base: string; readonly patch: string; readonly manifest: Manifest }
}

/** One node of a session: what is under way to it, and what came of it so far. */
export class RelayMember {
  readonly joining: Joining
  readonly link: RelayLink
  readonly puts: PutFlow
  readonly done = Promise.withResolvers<readonly RebuiltFile[]>()
  /** Where other relays reach it, once it has told. */
  peer: Peer | undefined
  /** Among those that the planner knows; -1 before that. */
  position = -1
  isSettled = false
  readonly whole = new Set<number>()
  readonly #underWay = new Map<number, Fetch[]>()
  #heardAt = performance.now()
  #isCheered = true
  #heldBack = 0
  #wanted: readonly number[] | undefined

  constructor(joining: Joining, link: RelayLink) {
    this.joining = joining
    this.link = link
    this.puts = new PutFlow(link)
    // Told by `join`, which may still be on its way.
    this.done.promise.catch(() => undefined)
  }

  /** Positions of the files that it is to get: those of its shards, or all. */
  listWanted(files: readonly FileEntry[]): readonly number[] {
    if (this.#wanted) return this.#wanted
    const { clusters, rebuild } = this.joining
    const own = new Set(selectFiles({ files }, rebuild ? undefined : clusters))
    this.#wanted = files.flatMap((file, position) => (own.has(file) ? [position] : []))
    return this.#wanted
  }

  hasBegun(fetch: Fetch): void {
    const others = this.#underWay.get(fetch.piece) ?? []
    // It may have had nothing to do until now.
    if (this.#underWay.size === 0) this.hasSaid()
    this.#underWay.set(fetch.piece, [...others, fetch])
  }

  /** Whether a piece is on its way to it. */
  awaits(piece: number): boolean {
    return this.#underWay.has(piece)
  }

  /** The first try for a piece that has come now, and none where it had come before. */
  hasReceived(piece: number): Fetch | undefined {
    const [first] = this.#underWay.get(piece) ?? []
    this.#underWay.delete(piece)
    return first
  }

  /** The try that failed, `from` as of {@link Fetch}. */
  hasMissed(piece: number, from: number): Fetch | undefined {
    const tries = this.#underWay.get(piece) ?? []
    const left = tries.filter((fetch) => fetch.from !== from)
    if (left.length > 0) this.#underWay.set(piece, left)
    else this.#underWay.delete(piece)
    return tries.find((fetch) => fetch.from === from)
  }

  /** Waits for leave to send it something: meanwhile it cannot be blamed for getting nothing. */
  async holdBack(wait: () => Promise<void>): Promise<void> {
    this.#heldBack++
    try {
      await wait()
    } finally {
      this.#heldBack--
      this.hasSaid()
    }
  }

  /** Whatever its relay says is a sign that it gets on. */
  hasSaid(): void {
    this.#heardAt = performance.now()
  }

  /** Gives an order that matters no more when it comes late: not while one like it still waits. */
  cheer(order: Order): void {
    if (!this.#isCheered) return
    this.#isCheered = false
    this.link.give(order).then(() => {
      this.#isCheered = true
    })
  }

  /**
   * Why it is given up, undefined while it gets on: a `remote` error when it has been silent for too long with something
   * to do, {@link RelayProblem} when there was nothing to do for much longer. `bytes` is what it may be reading from its
   * disk meanwhile, 0 while it only has to take what is sent.
   */
  checkStall(stallMs: number, bytes: number): Error | undefined {
    if (this.#heldBack > 0) return undefined
    const isIdle = bytes === 0 && this.#underWay.size === 0
    const limitMs = isIdle ? IDLE_FACTOR * stallMs : stallMs + bytes / SLOWEST_DISK
    if (performance.now() - this.#heardAt <= limitMs) return undefined
    const seconds = Math.round(limitMs / 1000)
    if (isIdle) return new RelayProblem(`nobody could send it anything for ${seconds} s`)
    const { node } = this.joining
    return new LongshoreError('remote', `${node}: got nothing of what was sent to it for ${seconds} s`, {
      hint: `see what keeps ${node} busy, then run the same command again: it continues`,
    })
  }
}
