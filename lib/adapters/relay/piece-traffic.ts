import { createPiecePlanner, type PiecePlanner } from '../../domain/piece-planner.ts'
import { CONTROL, type Fetch } from '../../domain/piece-planner-types.ts'
import type { RelayMember } from './member.ts'
import type { Pace } from './pace.ts'
import type { PieceSource } from './piece-source.ts'
import type { Peer } from './protocol.ts'

export type TrafficSettings = {
  readonly source: PieceSource
  readonly pace: Pace
  /** Hears why a piece could not be sent at all. */
  readonly onFailure: (error: unknown) => void
}

/** Has pieces sent from here, and passed on among members, as the planner says. */
export class PieceTraffic {
  readonly #settings: TrafficSettings
  readonly #planner: PiecePlanner
  /** By their position in the planner. */
  readonly #members: RelayMember[] = []
  #isPlanning = false
  #isOver = false
  #waking: NodeJS.Timeout | undefined

  constructor(settings: TrafficSettings) {
    this.#settings = settings
    const pieces = Uint32Array.from(settings.source.pieces, ({ bytes }) => bytes)
    this.#planner = createPiecePlanner({ pieces })
  }

  /** Lets a member take part that has these pieces already; others reach it as its `peer`. */
  join(member: RelayMember, have: readonly number[]): void {
    const { files, pieces } = this.#settings.source
    const wanted = new Set(member.listWanted(files))
    const useless = pieces.flatMap(({ file }, piece) => (wanted.has(file) ? [] : [piece]))
    member.position = this.#planner.join(have, performance.now(), useless)
    this.#members[member.position] = member
    this.#plan()
  }

  leave(member: RelayMember): void {
    if (member.position >= 0) this.#planner.leave(member.position, performance.now())
    this.#plan()
  }

  /** Whether the piece is news: not there before. */
  received(member: RelayMember, piece: number): boolean {
    const fetch = member.hasReceived(piece)
    if (!fetch) return false
    this.#planner.received(fetch, performance.now())
    this.#plan()
    return true
  }

  /** `from` is null for a piece that came from here. */
  failed(member: RelayMember, piece: number, from: Peer | null): void {
    const isFrom = ({ peer }: RelayMember) => peer?.host === from?.host && peer?.port === from?.port
    const source = from === null ? CONTROL : this.#members.findIndex(isFrom)
    const fetch = member.hasMissed(piece, source)
    if (fetch) this.#planner.failed(fetch, performance.now())
    this.#plan()
  }

  isComplete({ position }: RelayMember): boolean {
    return position >= 0 && this.#planner.isComplete(position)
  }

  end(): void {
    this.#isOver = true
    clearTimeout(this.#waking)
  }

  /** Plans once for all that happens together. */
  #plan(): void {
    if (this.#isPlanning || this.#isOver) return
    this.#isPlanning = true
    setImmediate(() => {
      this.#isPlanning = false
      if (!this.#isOver) this.#begin()
    })
  }

  #begin(): void {
    const now = performance.now()
    for (const fetch of this.#planner.next(now)) this.#order(fetch).catch(this.#settings.onFailure)
    clearTimeout(this.#waking)
    const wakeAt = this.#planner.wakeAt()
    if (wakeAt === Number.POSITIVE_INFINITY) return
    this.#waking = setTimeout(() => this.#plan(), Math.max(1, wakeAt - now))
  }

  async #order(fetch: Fetch): Promise<void> {
    const { to, from, piece } = fetch
    const member = this.#members[to]!
    member.hasBegun(fetch)
    if (from === CONTROL) return await this.#put(member, piece)
    const sha256 = await this.#settings.source.hash(piece)
    await member.link.give({ do: 'fetch', piece, sha256, from: this.#members[from]!.peer! })
  }

  async #put(member: RelayMember, piece: number): Promise<void> {
    const { source, pace } = this.#settings
    const { joining, puts } = member
    const sent = await puts.send({
      piece,
      isWanted: () => member.awaits(piece),
      async read() {
        const bytes = await source.read(piece)
        await member.holdBack(() => pace(joining.node, bytes.length, joining.signal))
        return { sha256: await source.hash(piece), bytes }
      },
    })
    if (sent > 0) joining.onSent?.(sent)
  }
}
