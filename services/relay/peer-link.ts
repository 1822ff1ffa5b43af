import { connect, type TLSSocket } from 'node:tls'
import { encodeFrameStart, type Frame, FrameDecoder } from '../../lib/adapters/relay/frames.ts'
import type { Peer } from '../../lib/adapters/relay/protocol.ts'
import { LongshoreError, messageOf } from '../../lib/domain/errors.ts'
import { ANSWER_HEADER_BYTES, type PeerAnswer, type PeerQuestion } from './peer-messages.ts'
import { createConnectOptions } from './peer-tls.ts'
import { PIECE_BUFFERS } from './piece-buffers.ts'

/** How long a peer that owes an answer may send nothing, and how long a connection is kept that nobody needs. */
export const STALL_MS = 5000

const READ_BYTES = 64 * 1024

type Wanted = {
  readonly resolve: (piece: Buffer) => void
  readonly reject: (error: LongshoreError) => void
}

export type LinkOptions = {
  readonly peer: Peer
  readonly secret: Buffer
  /** The most bytes of a piece. */
  readonly pieceBytes: number
  readonly stallMs?: number
}

/** The one connection to another relay, made when it is needed; many pieces are on their way over it at once. */
export class PeerLink {
  readonly #options: LinkOptions
  readonly #wanted = new Map<number, Wanted>()
  #socket: TLSSocket | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** The bytes of a piece as they came. Raises `remote` when they do not come, or `signal` says not to wait for them. */
  async request(piece: number, signal: AbortSignal): Promise<Buffer> {
    if (this.#wanted.has(piece)) throw new LongshoreError('remote', 'it is on its way from there already')
    const wanted = Promise.withResolvers<Buffer>()
    if (this.#wanted.size === 0) this.#timer?.refresh()
    this.#wanted.set(piece, wanted)
    this.#socket ??= this.#connect()
    this.#ask({ want: piece })
    signal.addEventListener('abort', () => this.#drop(piece, wanted), { once: true })
    return wanted.promise
  }

  close(): void {
    this.#socket?.destroy()
  }

  #ask(question: PeerQuestion): void {
    this.#socket?.write(encodeFrameStart(question, 0))
  }

  #drop(piece: number, wanted: Wanted): void {
    if (this.#wanted.get(piece) !== wanted) return
    this.#wanted.delete(piece)
    this.#ask({ drop: piece })
    wanted.reject(new LongshoreError('remote', 'it came from elsewhere'))
  }

  #connect(): TLSSocket {
    const { peer, secret, stallMs = STALL_MS } = this.#options
    const onread = this.#createReader((problem) => (problem ? socket.destroy(problem) : timer.refresh()))
    // The types of Node.js do not know that its TLS hands `onread` on to the socket.
    const options = { ...createConnectOptions(secret), ...peer, onread }
    const socket = connect(options)
    const timer = setTimeout(() => socket.destroy(new Error(`nothing came for ${stallMs} ms`)), stallMs)
    let problem = 'the connection was closed'
    socket.setNoDelay()
    socket.on('error', (error) => {
      problem = messageOf(error)
    })
    socket.on('close', () => {
      clearTimeout(timer)
      this.#end(problem)
    })
    this.#timer = timer
    return socket
  }

  /** Takes answers apart; they are read into one and the same memory, for the reason that pieces have theirs. */
  #createReader(onRead: (problem?: Error) => void) {
    const limits = { headerBytes: ANSWER_HEADER_BYTES, bodyBytes: this.#options.pieceBytes }
    const decoder = new FrameDecoder<PeerAnswer>(limits, (bytes) => PIECE_BUFFERS.take(bytes))
    const callback = (bytes: number, buffer: Uint8Array) => {
      onRead()
      try {
        for (const frame of decoder.push(buffer.subarray(0, bytes))) this.#receive(frame)
      } catch (error) {
        onRead(error as Error)
      }
      return true
    }
    return { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback }
  }

  #receive({ header: { piece, problem }, body }: Frame<PeerAnswer>): void {
    const wanted = this.#wanted.get(piece)
    // What is no longer wanted may have been on its way.
    if (!wanted) PIECE_BUFFERS.give(body)
    else this.#wanted.delete(piece)
    if (problem === undefined) wanted?.resolve(body)
    else wanted?.reject(new LongshoreError('remote', problem))
  }

  #end(problem: string): void {
    this.#socket = undefined
    this.#timer = undefined
    const owed = [...this.#wanted.values()]
    this.#wanted.clear()
    for (const { reject } of owed) reject(new LongshoreError('remote', problem))
  }
}
