import type { Order, Peer, Report } from '../../lib/adapters/relay/protocol.ts'
import { createLimit } from '../../lib/adapters/ssh/limit.ts'
import { LongshoreError, messageOf } from '../../lib/domain/errors.ts'
import { findPieceProblem, type IncomingPiece, Intake } from './intake.ts'
import { PeerLinks } from './peer-links.ts'
import { PIECE_BUFFERS } from './piece-buffers.ts'
import { PieceParts } from './piece-parts.ts'
import { type PieceServer, servePieces } from './serve-pieces.ts'
import { UploadLimit } from './upload-limit.ts'
import { WriteBack } from './write-back.ts'

export type OrderOf<Do extends Order['do']> = Extract<Order, { do: Do }>

export type Surroundings = {
  readonly dataDirectory: string
  readonly tell: (report: Report) => void
  /** Ends the relay. */
  readonly fail: (error: unknown) => void
  readonly signal: AbortSignal
}

const SECRET_BYTES = 32
/** Said to fetches that are over; the reason that `abort` makes by itself has a stack, for each of them. */
const OVER = 'over'
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
  readonly #writeBack: WriteBack
  /** Fetches under way, by their pieces. */
  readonly #fetches = new Map<number, Set<AbortController>>()
  readonly #parts = new PieceParts()
  #gotBytes = 0
  #finishing: Promise<void> = Promise.resolve()
  #isClosed = false

  private constructor(
    pieceBytes: number,
    surroundings: Surroundings,
    parts: {
      readonly intake: Intake
      readonly server: PieceServer
      readonly upload: UploadLimit
      readonly links: PeerLinks
    },
  ) {
    this.#surroundings = surroundings
    this.#writeBack = new WriteBack(surroundings.fail)
    this.#intake = parts.intake
    this.#server = parts.server
    this.#upload = parts.upload
    this.#links = parts.links
    this.#inWindow = createLimit(Math.max(1, Math.floor(WINDOW_BYTES / pieceBytes)))
  }

  /** Looks what is here and tells it, ready for pieces and for other relays. Raises as {@link Intake.open} does. */
  static async begin(order: OrderOf<'begin'>, surroundings: Surroundings): Promise<Bringing> {
    const { dataDirectory, signal, tell } = surroundings
    const secret = Buffer.from(order.secret, 'base64')
    if (secret.length !== SECRET_BYTES) {
      throw new LongshoreError('usage', `a secret of ${secret.length} bytes: expected ${SECRET_BYTES}`)
    }
    const intake = await Intake.open(dataDirectory, order, signal)
    const upload = new UploadLimit(order.uploadRate)
    const server = await servePieces({
      secret,
      port: order.port,
      upload,
      openPiece(number) {
        const piece = intake.find(number)
        return piece?.incoming.openPiece(piece.index)
      },
    })
    tell({ told: 'ready', port: server.port, ...intake.holdings })
    const links = new PeerLinks(secret, order.pieceBytes)
    return new Bringing(order.pieceBytes, surroundings, { intake, server, upload, links })
  }

  /** Takes the memory of a part of a piece with it. */
  async put({ piece, sha256, offset }: OrderOf<'put'>, part: Buffer): Promise<void> {
    const bytes = part.length
    await this.#put({ piece, sha256, offset }, part)
    this.#gotBytes += bytes
    this.#tell({ told: 'got', bytes: this.#gotBytes })
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

  /** Resolves when no file is finished any more. Nothing is told from here on, nor of what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const controller of [...this.#fetches.values()].flatMap((beside) => [...beside]))
      controller.abort(OVER)
    this.#server.close()
    this.#links.close()
    await this.#finishing
  }

  async #put({ piece, sha256, offset }: Omit<OrderOf<'put'>, 'do'>, part: Buffer): Promise<void> {
    const found = this.#intake.find(piece)
    // Told at the first part: it may have come from elsewhere before the last one.
    if (offset === 0 ? this.#isHere(piece, sha256, null) : !found) return PIECE_BUFFERS.give(part)
    const { bytes } = found!.incoming.locate(found!.index)
    const data = this.#parts.add(piece, offset, { part, bytes })
    if (!data) return
    await this.#take({ piece, sha256, from: null }, data)
    PIECE_BUFFERS.give(data)
  }

  /** Answers for a piece that nothing has to be done for: it is here, or there is none of this number. */
  #isHere(piece: number, sha256: string, from: Peer | null): boolean {
    const found = this.#intake.find(piece)
    if (!found) this.#fail(piece, from, 'there is no such piece')
    else if (found.incoming.holds(found.index, sha256)) this.#tell({ told: 'have', piece })
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
    const found = this.#intake.find(piece)!
    const problem = findPieceProblem(data, found, sha256)
    if (problem) return this.#fail(piece, from, problem)
    // Otherwise the same piece has come from elsewhere, and whoever brought it tells.
    if ((await found.incoming.take(found.index, sha256, data)) !== 'written') return
    for (const controller of this.#fetches.get(piece) ?? []) controller.abort(OVER)
    this.#tell({ told: 'have', piece })
    this.#writeBack.note(found.incoming.piecesPath)
    if (found.incoming.isComplete) this.#finishLater(found)
  }

  #fail(piece: number, from: Peer | null, problem: string): void {
    this.#tell({ told: 'failed', piece, from, problem })
  }

  /** One file is read back at a time, beside everything else. */
  #finishLater({ file, incoming }: IncomingPiece): void {
    this.#finishing = this.#finishing
      .then(async () => {
        if (!incoming.isComplete) return
        const sha256 = await incoming.finish()
        this.#tell(incoming.isWhole ? { told: 'whole', file } : { told: 'wrong', file, sha256 })
      })
      .catch(this.#surroundings.fail)
  }

  #tell(report: Report): void {
    if (!this.#isClosed) this.#surroundings.tell(report)
  }
}
