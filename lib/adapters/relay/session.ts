import { randomBytes } from 'node:crypto'
import type { DeliveryRates } from '../../domain/delivery-rates.ts'
import { createPiecePlanner, type PiecePlanner } from '../../domain/piece-planner.ts'
import { CONTROL, type Fetch } from '../../domain/piece-planner-types.ts'
import { type Joining, RelayMember } from './member.ts'
import type { Pace } from './pace.ts'
import type { PieceSource } from './piece-source.ts'
import { type RebuiltFile, type Report, STAY_MS } from './protocol.ts'
import { RelayProblem, type RelaySettings, startRelay } from './start-relay.ts'

export type SessionSettings = RelaySettings & {
  /** Port that relays listen on, 0 for any. */
  readonly port: number
  /** Where other nodes reach a node. */
  readonly hostOf: (node: string) => string
  /** How long a node may get nothing of what is sent to it. */
  readonly stallMs: number
  readonly pace: Pace
  readonly readRates: () => DeliveryRates
}

const TICK_MS = 500

/** Brings the same files to nodes that may join at any time; each gets from the others what they have already. */
export class RelaySession {
  readonly #settings: SessionSettings
  readonly #generation: string
  readonly #source: PieceSource
  readonly #planner: PiecePlanner
  readonly #members = new Set<RelayMember>()
  readonly #positions: RelayMember[] = []
  readonly #secret = randomBytes(32).toString('base64')
  readonly #ticking: NodeJS.Timeout
  #uploadRate: number | null
  #stayAt = 0
  #isAdvancing = false
  #waking: NodeJS.Timeout | undefined
  /** Whether it has ended: whoever comes now needs another one. */
  isOver = false

  constructor(settings: SessionSettings, generation: string, source: PieceSource) {
    this.#settings = settings
    this.#generation = generation
    this.#source = source
    this.#planner = createPiecePlanner({ pieces: Uint32Array.from(source.pieces, ({ bytes }) => bytes) })
    this.#uploadRate = settings.readRates().perNode
    this.#ticking = setInterval(() => this.#tick(), TICK_MS)
  }

  /**
   * Resolves when all files are whole on the node, to what came of the rebuild where one was asked for. Raises
   * {@link RelayProblem} where the relay is of no use, `remote` when the node is lost or gets nothing any more,
   * `corrupt` when a file of this machine is not what it must be.
   */
  async join(joining: Joining): Promise<readonly RebuiltFile[]> {
    const stop = new AbortController()
    const signal = AbortSignal.any([joining.signal, stop.signal])
    const { node, directory } = joining
    const onReport = (report: Report) => this.#hear(member, report)
    const link = startRelay(this.#settings, { node, directory, signal, onReport })
    const member = new RelayMember(joining, link)
    this.#members.add(member)
    this.#begin(member)
    joining.onMilestone?.('started')
    try {
      return await member.done.promise
    } catch (error) {
      stop.abort(error)
      await link.ended.catch(() => undefined)
      throw error
    } finally {
      this.#endWhenSettled()
    }
  }

  /** Ends the relay of a node, which others may still get pieces from. */
  async quit(node: string): Promise<void> {
    const own = [...this.#members].filter((member) => member.joining.node === node)
    for (const member of own) this.#dismiss(member)
    await Promise.allSettled(own.map(({ link }) => link.ended))
  }

  #begin(member: RelayMember): void {
    const { files, pieceBytes } = this.#source
    const [secret, { port }, uploadRate] = [this.#secret, this.#settings, this.#uploadRate]
    const generation = this.#generation
    member.link.give({ do: 'begin', generation, files, pieceBytes, secret, port, uploadRate })
    member.link.ended.then(
      () => this.#fail(member, new RelayProblem('the relay ended before it was told to')),
      (error: unknown) => this.#fail(member, error),
    )
  }

  #hear(member: RelayMember, report: Report): void {
    if (member.isSettled && report.told !== 'failed') return
    member.hasSaid()
    const orFailAll = (error: unknown) => this.#failAll(error)
    if (report.told === 'ready') this.#admit(member, report).catch(orFailAll)
    else if (report.told === 'have') this.#take(member, report.piece)
    else if (report.told === 'failed') this.#miss(member, report)
    else if (report.told === 'wrong') this.#blame(member, report.file).catch(orFailAll)
    else if (report.told === 'rebuilt') this.#settle(member, report.files)
    else if (report.told === 'broken') this.#fail(member, new RelayProblem(report.problem))
    else {
      member.whole.add(report.file)
      this.#finishWhenWhole(member)
    }
  }

  /** Lets a relay take part that has told what it has from earlier. */
  async #admit(member: RelayMember, report: Extract<Report, { told: 'ready' }>): Promise<void> {
    const whole = new Set(report.whole)
    const have = this.#source.pieces.flatMap(({ file }, piece) => (whole.has(file) ? [piece] : []))
    for (const { piece, sha256 } of report.pieces) {
      if (sha256 === (await this.#source.hash(piece))) have.push(piece)
    }
    if (member.isSettled) return
    for (const file of whole) member.whole.add(file)
    member.hasSaid()
    member.peer = { host: this.#settings.hostOf(member.joining.node), port: report.port }
    member.position = this.#planner.join(have, performance.now())
    this.#positions[member.position] = member
    this.#finishWhenWhole(member)
    this.#advance()
  }

  #take(member: RelayMember, piece: number): void {
    const fetch = member.hasReceived(piece)
    if (!fetch) return
    const { onBytes, onMilestone } = member.joining
    this.#planner.received(fetch, performance.now())
    onMilestone?.('firstByte')
    onBytes?.(this.#source.pieces[piece]!.bytes)
    if (this.#planner.isComplete(member.position)) onMilestone?.('received')
    this.#advance()
  }

  #miss(member: RelayMember, { piece, from }: Extract<Report, { told: 'failed' }>): void {
    const isFrom = (other: RelayMember) => other.peer?.host === from?.host && other.peer?.port === from?.port
    const source = from === null ? CONTROL : this.#positions.findIndex(isFrom)
    const fetch = member.hasMissed(piece, source)
    if (fetch) this.#planner.failed(fetch, performance.now())
    this.#advance()
  }

  /** All pieces were right and the file is not: either it was wrong here, or the node's disk is. */
  async #blame(member: RelayMember, file: number): Promise<void> {
    await this.#source.check(file)
    this.#fail(member, new RelayProblem(`${this.#source.files[file]!.path} was not on the disk as it came`))
  }

  #finishWhenWhole(member: RelayMember): void {
    if (member.whole.size < this.#source.files.length) return
    const { rebuild } = member.joining
    if (rebuild) {
      const { base, patch, manifest } = rebuild
      member.link.give({ do: 'rebuild', base, patch }, Buffer.from(JSON.stringify(manifest)))
    } else {
      this.#settle(member, [])
    }
  }

  #settle(member: RelayMember, rebuilt: readonly RebuiltFile[]): void {
    member.isSettled = true
    member.joining.onMilestone?.('whole')
    member.done.resolve(rebuilt)
  }

  #fail(member: RelayMember, error: unknown): void {
    this.#dismiss(member)
    if (member.isSettled) return
    member.isSettled = true
    member.done.reject(error)
  }

  #failAll(error: unknown): void {
    for (const member of [...this.#members]) this.#fail(member, error)
  }

  #dismiss(member: RelayMember): void {
    if (!this.#members.delete(member)) return
    member.link.give({ do: 'end' })
    member.link.end()
    if (member.position >= 0) this.#planner.leave(member.position, performance.now())
    this.#advance()
  }

  #endWhenSettled(): void {
    if (this.isOver || [...this.#members].some(({ isSettled }) => !isSettled)) return
    this.isOver = true
    clearInterval(this.#ticking)
    for (const member of [...this.#members]) this.#dismiss(member)
    clearTimeout(this.#waking)
  }

  /** Plans once for all reports that have come together. */
  #advance(): void {
    if (this.#isAdvancing || this.isOver) return
    this.#isAdvancing = true
    setImmediate(() => {
      this.#isAdvancing = false
      if (this.isOver) return
      const now = performance.now()
      for (const fetch of this.#planner.next(now)) {
        this.#order(fetch).catch((error: unknown) => this.#failAll(error))
      }
      clearTimeout(this.#waking)
      const wakeAt = this.#planner.wakeAt()
      if (wakeAt < Number.POSITIVE_INFINITY) {
        this.#waking = setTimeout(() => this.#advance(), Math.max(1, wakeAt - now))
      }
    })
  }

  async #order(fetch: Fetch): Promise<void> {
    const { piece, from } = fetch
    const member = this.#positions[fetch.to]!
    const { link, joining } = member
    member.hasBegun(fetch)
    if (from !== CONTROL) {
      const sha256 = await this.#source.hash(piece)
      await link.give({ do: 'fetch', piece, sha256, from: this.#positions[from]!.peer! })
      return
    }
    const bytes = await this.#source.read(piece)
    await this.#settings.pace(joining.node, bytes.length, joining.signal)
    const isTaken = await link.give({ do: 'put', piece, sha256: await this.#source.hash(piece) }, bytes)
    if (isTaken) joining.onSent?.(bytes.length)
  }

  #tick(): void {
    const { readRates, stallMs } = this.#settings
    const { perNode } = readRates()
    const now = performance.now()
    for (const member of [...this.#members]) {
      if (perNode !== this.#uploadRate) member.link.give({ do: 'limit', uploadRate: perNode })
      if (now >= this.#stayAt) member.cheer({ do: 'stay' })
      if (!member.isSettled) this.#checkStall(member, stallMs)
    }
    this.#uploadRate = perNode
    if (now >= this.#stayAt) this.#stayAt = now + STAY_MS
  }

  #checkStall(member: RelayMember, stallMs: number): void {
    const total = this.#source.files.reduce((sum, { bytes }) => sum + bytes, 0)
    const isStarting = member.position < 0
    const isReading = isStarting || this.#planner.isComplete(member.position)
    const rebuilt = member.joining.rebuild?.manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0
    const error = member.checkStall(stallMs, isReading ? total + rebuilt : 0)
    if (error) this.#fail(member, isStarting ? new RelayProblem('its relay does not answer') : error)
  }
}
