import { randomBytes } from 'node:crypto'
import type { DeliveryRates } from '../../domain/delivery-rates.ts'
import { countBytes } from '../../domain/manifest.ts'
import { type Joining, RelayMember } from './member.ts'
import type { Pace } from './pace.ts'
import type { PieceSource } from './piece-source.ts'
import { PieceTraffic } from './piece-traffic.ts'
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
const PIECES_TOGETHER = 8

/** Brings the same files to nodes that may join at any time; each gets from the others what they have already. */
export class RelaySession {
  readonly #settings: SessionSettings
  readonly #generation: string
  readonly #source: PieceSource
  readonly #traffic: PieceTraffic
  readonly #members = new Set<RelayMember>()
  readonly #secret = randomBytes(32).toString('base64')
  readonly #ticking: NodeJS.Timeout
  #uploadRate: number | null
  #stayAt = 0
  /** Whether it has ended: whoever comes now needs another one. */
  isOver = false

  constructor(settings: SessionSettings, generation: string, source: PieceSource) {
    this.#settings = settings
    this.#generation = generation
    this.#source = source
    this.#traffic = new PieceTraffic({
      source,
      pace: settings.pace,
      onFailure: (error) => this.#failAll(error),
    })
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
    const wanted = member.listWanted(files)
    const some = wanted.length < files.length ? { wanted } : {}
    member.link.give({ do: 'begin', generation, files, ...some, pieceBytes, secret, port, uploadRate })
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
    else if (report.told === 'failed') this.#traffic.failed(member, report.piece, report.from)
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
    this.#traffic.join(member, have)
    this.#finishWhenWhole(member)
  }

  #take(member: RelayMember, piece: number): void {
    if (!this.#traffic.received(member, piece)) return
    const { onBytes, onMilestone } = member.joining
    onMilestone?.('firstByte')
    onBytes?.(this.#source.pieces[piece]!.bytes)
    if (this.#traffic.isComplete(member)) onMilestone?.('received')
  }

  /** All pieces were right and the file is not: either it was wrong here, or the node's disk is. */
  async #blame(member: RelayMember, file: number): Promise<void> {
    await this.#source.check(file)
    this.#fail(member, new RelayProblem(`${this.#source.files[file]!.path} was not on the disk as it came`))
  }

  #finishWhenWhole(member: RelayMember): void {
    if (member.whole.size < member.listWanted(this.#source.files).length) return
    const { rebuild, clusters } = member.joining
    if (rebuild) {
      const { base, patch, manifest } = rebuild
      member.link.give(
        { do: 'rebuild', base, patch, ...(clusters && { clusters }) },
        Buffer.from(JSON.stringify(manifest)),
      )
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
    this.#traffic.leave(member)
  }

  #endWhenSettled(): void {
    if (this.isOver || [...this.#members].some(({ isSettled }) => !isSettled)) return
    this.isOver = true
    clearInterval(this.#ticking)
    this.#traffic.end()
    for (const member of [...this.#members]) this.#dismiss(member)
  }

  #tick(): void {
    const { perNode } = this.#settings.readRates()
    const now = performance.now()
    for (const member of [...this.#members]) {
      if (perNode !== this.#uploadRate) member.link.give({ do: 'limit', uploadRate: perNode })
      if (now >= this.#stayAt) member.cheer({ do: 'stay' })
      if (!member.isSettled) this.#checkStall(member)
    }
    this.#uploadRate = perNode
    if (now >= this.#stayAt) this.#stayAt = now + STAY_MS
  }

  #checkStall(member: RelayMember): void {
    const isStarting = member.position < 0
    const isReading = isStarting || this.#traffic.isComplete(member)
    const rebuilt = member.joining.rebuild?.manifest.files ?? []
    const error = member.checkStall(
      this.#settings.stallMs + this.#allowSlowness(),
      isReading ? countBytes({ files: [...this.#source.files, ...rebuilt] }) : 0,
    )
    if (error) this.#fail(member, isStarting ? new RelayProblem('its relay does not answer') : error)
  }

  /** How long some pieces may take that were asked for together, where the links of nodes are limited, in milliseconds. */
  #allowSlowness(): number {
    const rate = this.#uploadRate
    return rate === null ? 0 : (1000 * PIECES_TOGETHER * this.#source.pieceBytes) / rate
  }
}
