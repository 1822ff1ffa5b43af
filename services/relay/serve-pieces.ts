import { once } from 'node:events'
import { closeSync, readSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { encodeFrameStart, FrameDecoder } from '../../lib/adapters/relay/frames.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { type PeerAnswer, type PeerQuestion, QUESTION_LIMITS } from './peer-messages.ts'
import { createListenOptions } from './peer-tls.ts'
import { MOST_SLICE_BYTES, type UploadLimit } from './upload-limit.ts'

/** A piece on the disk; whoever gets it closes it. */
export type OpenPiece = { readonly descriptor: number; readonly offset: number; readonly bytes: number }

export type ServeOptions = {
  readonly secret: Buffer
  /** 0 for any. */
  readonly port: number
  readonly upload: UploadLimit
  /** A piece that is on the disk and has been verified; undefined for any other. */
  readonly openPiece: (piece: number) => OpenPiece | undefined
}

type Sending = {
  readonly socket: TLSSocket
  readonly options: ServeOptions
  /** All that is in memory of what this connection sends. */
  readonly slice: Buffer
}

export type PieceServer = { readonly port: number; close(): void }

const MOST_CONNECTIONS = 256
const MOST_QUESTIONS = 1024
const IDLE_MS = 30_000

/** Sends pieces to other relays that know the secret; to nobody else, and no more than the limit allows. */
export async function servePieces(options: ServeOptions): Promise<PieceServer> {
  const connections = new Set<TLSSocket>()
  const server = createServer({ ...createListenOptions(options.secret), noDelay: true })
  server.maxConnections = MOST_CONNECTIONS
  // Strangers, and those who take too long to show that they are none.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  server.on('secureConnection', (socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
    serveConnection(socket, options)
  })
  server.listen(options.port)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close()
      for (const socket of connections) socket.destroy()
    },
  }
}

function serveConnection(socket: TLSSocket, options: ServeOptions): void {
  const decoder = new FrameDecoder<PeerQuestion>(QUESTION_LIMITS)
  const wanted = new Set<number>()
  const sending: Sending = { socket, options, slice: Buffer.allocUnsafeSlow(MOST_SLICE_BYTES) }
  let isSending = false
  const sendAll = async () => {
    if (isSending) return
    isSending = true
    for (const piece of wanted) {
      wanted.delete(piece)
      await sendPiece(sending, piece)
    }
    isSending = false
  }
  socket.setTimeout(IDLE_MS, () => socket.destroy())
  // Whoever waits for an answer sees the end of the connection; there is nobody else to tell.
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    try {
      for (const { header } of decoder.push(chunk)) note(wanted, header)
    } catch (error) {
      socket.destroy(error as Error)
      return
    }
    sendAll().catch((error: Error) => socket.destroy(error))
  })
}

function note(wanted: Set<number>, question: PeerQuestion): void {
  if ('drop' in question) wanted.delete(question.drop)
  else wanted.add(question.want)
  if (wanted.size > MOST_QUESTIONS) {
    throw new LongshoreError('remote', `more than ${MOST_QUESTIONS} pieces are asked for at once`)
  }
}

async function sendPiece(sending: Sending, number: number): Promise<void> {
  const { socket, options } = sending
  const piece = options.openPiece(number)
  if (!piece) {
    const answer: PeerAnswer = { piece: number, problem: 'it is not here' }
    socket.write(encodeFrameStart(answer, 0))
    return
  }
  try {
    const answer: PeerAnswer = { piece: number }
    socket.write(encodeFrameStart(answer, piece.bytes))
    await sendBytes(sending, piece)
  } finally {
    closeSync(piece.descriptor)
  }
}

async function sendBytes({ socket, options, slice }: Sending, piece: OpenPiece): Promise<void> {
  const { upload } = options
  for (let sent = 0; sent < piece.bytes && !socket.destroyed; ) {
    const bytes = Math.min(upload.sliceBytes, piece.bytes - sent)
    await upload.take(bytes)
    // It has come a moment ago and is in memory: to have a thread fetch it would take ten times as long.
    const bytesRead = readSync(piece.descriptor, slice, 0, bytes, piece.offset + sent)
    if (bytesRead < bytes) throw new LongshoreError('corrupt', 'a file with pieces has become shorter')
    await write(socket, slice.subarray(0, bytes))
    sent += bytes
  }
}

/** Resolves once the bytes are the kernel's and their memory can be used again. */
function write(socket: TLSSocket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve())))
}
