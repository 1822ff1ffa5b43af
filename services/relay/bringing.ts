import type { Order, Peer, Report } from '../../lib/adapters/relay/protocol.ts'
import { createLimit } from '../../lib/adapters/ssh/limit.ts'
import { messageOf } from '../../lib/domain/errors.ts'
import { findPieceProblem, Intake } from './intake.ts'
import { PeerLinks } from './peer-links.ts'
import { PIECE_BUFFERS } from './piece-buffers.ts'
import { type PieceServer, servePieces } from './serve-pieces.ts'
import { UploadLimit } from './upload-limit.ts'

export type OrderOf<Do extends Order['do']> = Extract<Order, { do: Do }>

export type Surroundings = {
  readonly dataDirectory: string
  readonly tell: (report: Report) => void
  /** Ends the relay. */
  readonly fail: (error: unknown) => void
  readonly signal: AbortSignal
}

/** Pieces that are asked for or waiting to be written take no more memory than this. */
const WINDOW_BYTES = 8 * 2 ** 20

/** The bringing of one generation to this node, from `begin` on: pieces come from the command and from other relays. */
export class Bringing {
  readonly #intake: Intake
  readonly #server: PieceServer
  readonly #upload: UploadLimit
  readonly #links: PeerLinks
  readonly #inWindow: ReturnType<typeof createLimit>
  readonly #surroundings: Surroundings
  /** Fetches under way, by their pieces. */
  readonly #fetches = new Map<number, Set<AbortController>>()
  #finishing: Promise<void> = Promise.resolve()

  private constructor(
    order: OrderOf<'begin'>,
    surroundings: Surroundings,
    parts: { readonly intake: Intake; readonly server: PieceServer; readonly upload: UploadLimit },
  ) {
    this.#surroundings = surroundings
    this.#intake = parts.intake
    this.#server = parts.server
    this.#upload = parts.upload
    this.#links = new PeerLinks(Buffer.from(order.secret, 'base64'), order.pieceBytes)
    this.#inWindow = createLimit(Math.max(1, Math.floor(WINDOW_BYTES / order.pieceBytes)))
  }

  /** Looks what is here and tells it, ready for pieces and for other relays. Raises as {@link Intake.open} does. */
  static async begin(order: OrderOf<'begin'>, surroundings: Surroundings): Promise<Bringing> {
    const { dataDirectory, signal, tell } = surroundings
    const intake = await Intake.open(dataDirectory, order, signal)
    const upload = new UploadLimit(order.uploadRate)
    const server = await servePieces({
      secret: Buffer.from(order.secret, 'base64'),
      port: order.port,
      upload,
      openPiece: (piece) => intake.openPiece(piece),
    })
    tell({ told: 'ready', port: server.port, ...intake.holdings })
    return new Bringing(order, surroundings, { intake, server, upload })
  }

  /** Takes the memory of a piece with it. */
  async put({ piece, sha256 }: OrderOf<'put'>, data: Buffer): Promise<void> {
    if (!this.#isHere(piece, sha256, null)) await this.#take({ piece, sha256, from: null }, data)
    PIECE_BUFFERS.give(data)
  }

  /** Resolves when the piece has come or has failed. */
  async fetch({ piece, sha256, from }: OrderOf<'fetch'>): Promise<void> {
    if (this.#isHere(piece, sha256, from)) return
    const controller = new AbortController()
    const beside = this.#fetches.get(piece) ?? new Set()
    this.#fetches.set(piece, beside.add(controller))
    try {
      await this.#inWindow(() => this.#bring({ piece, sha256, from }, controller.signal))
    } finally {
      beside.delete(controller)
      if (beside.size === 0) this.#fetches.delete(piece)
    }
  }

  limit({ uploadRate }: OrderOf<'limit'>): void {
    this.#upload.setRate(uploadRate)
  }

  /** Resolves when nothing is read or written any more; pieces under way fail. */
  async close(): Promise<void> {
    this.#server.close()
    this.#links.close()
    await this.#finishing
  }

  /** Answers for a piece that nothing has to be done for: it is here, or there is none of this number. */
  #isHere(piece: number, sha256: string, from: Peer | null): boolean {
    if (!this.#intake.pieces[piece]) this.#fail(piece, from, 'there is no such piece')
    else if (this.#intake.holds(piece, sha256)) this.#surroundings.tell({ told: 'have', piece })
    else return false
    return true
  }

  async #bring(wanted: Omit<OrderOf<'fetch'>, 'do'>, signal: AbortSignal): Promise<void> {
    const { piece, from } = wanted
    if (signal.aborted) return
    let data: Buffer
    try {
      data = await this.#links.to(from).request(piece, signal)
    } catch (error) {
      if (!signal.aborted) this.#fail(piece, from, messageOf(error))
      return
    }
    await this.#take(wanted, data)
    PIECE_BUFFERS.give(data)
  }

  async #take(
    { piece, sha256, from }: { readonly piece: number; readonly sha256: string; readonly from: Peer | null },
    data: Buffer,
  ): Promise<void> {
    const problem = findPieceProblem(data, this.#intake.pieces[piece]!, sha256)
    if (problem) return this.#fail(piece, from, problem)
    // Otherwise the same piece has come from elsewhere, and whoever brought it tells.
    if ((await this.#intake.take(piece, sha256, data)) !== 'written') return
    for (const controller of this.#fetches.get(piece) ?? []) controller.abort()
    this.#surroundings.tell({ told: 'have', piece })
    if (this.#intake.file(piece).isComplete) this.#finishLater(this.#intake.pieces[piece]!.file, piece)
  }

  #fail(piece: number, from: Peer | null, problem: string): void {
    this.#surroundings.tell({ told: 'failed', piece, from, problem })
  }

  /** One file is read back at a time, beside everything else. */
  #finishLater(file: number, piece: number): void {
    const { tell, fail } = this.#surroundings
    const incoming = this.#intake.file(piece)
    this.#finishing = this.#finishing
      .then(async () => {
        if (!incoming.isComplete) return
        const sha256 = await incoming.finish()
        tell(incoming.isWhole ? { told: 'whole', file } : { told: 'wrong', file, sha256 })
      })
      .catch(fail)
  }
}
