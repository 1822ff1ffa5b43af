import { LongshoreError, messageOf } from '../../domain/errors.ts'

/** One message: what its header says in JSON, and bytes that go with it. */
export type Frame<Header> = { readonly header: Header; readonly body: Buffer }

/** The most that a reader takes of one frame, so that no damaged length makes it wait for gigabytes. */
export type FrameLimits = { readonly headerBytes: number; readonly bodyBytes: number }

/** Memory for a body of so many bytes. */
export type Allocate = (bytes: number) => Buffer

export const FRAME_LIMITS: FrameLimits = { headerBytes: 64 * 2 ** 20, bodyBytes: 64 * 2 ** 20 }

const LENGTHS_BYTES = 8
const NO_BYTES = Buffer.alloc(0)

/** The parts of a frame, to be written one after the other: lengths and header, then the body, which is not copied. */
export function encodeFrame(header: object, body: Uint8Array = NO_BYTES): Uint8Array[] {
  const start = encodeFrameStart(header, body.length)
  return body.length === 0 ? [start] : [start, body]
}

/** The start of a frame whose body, of so many bytes, is written afterwards bit by bit. */
export function encodeFrameStart(header: object, bodyBytes: number): Buffer {
  const text = JSON.stringify(header)
  const headerBytes = Buffer.byteLength(text)
  const start = Buffer.allocUnsafe(LENGTHS_BYTES + headerBytes)
  start.writeUInt32LE(headerBytes, 0)
  start.writeUInt32LE(bodyBytes, 4)
  start.write(text, LENGTHS_BYTES)
  return start
}

/** The frames of a stream in order, until it ends. Raises `remote` for what is no frame, and for an end within one. */
export async function* readFrames<Header>(
  source: AsyncIterable<Uint8Array>,
  limits: FrameLimits = FRAME_LIMITS,
  allocate?: Allocate,
): AsyncGenerator<Frame<Header>> {
  const decoder = new FrameDecoder<Header>(limits, allocate)
  for await (const chunk of source) yield* decoder.push(chunk)
  decoder.end()
}

/** Puts frames together from the chunks of a stream; every byte is copied once. */
export class FrameDecoder<Header> {
  readonly #limits: FrameLimits
  readonly #allocate: Allocate
  readonly #lengths = Buffer.alloc(LENGTHS_BYTES)
  /** Of the frame that is being read, as far as its lengths have come. */
  #frame: { readonly text: Buffer; header?: Header; readonly body: Buffer } | undefined
  /** Bytes that have come of the part that is being read: lengths, text or body. */
  #filled = 0

  /** Without `allocate`, each body has memory of its own: cut out of a larger one, it would keep that with it. */
  constructor(limits: FrameLimits = FRAME_LIMITS, allocate: Allocate = Buffer.allocUnsafeSlow) {
    this.#limits = limits
    this.#allocate = allocate
  }

  /** The frames that end in this chunk. Raises `remote` for what is no frame. */
  *push(chunk: Uint8Array): Generator<Frame<Header>> {
    for (let taken = 0; taken < chunk.length; ) {
      const part = this.#findPart()
      const bytes = Math.min(part.length - this.#filled, chunk.length - taken)
      part.set(chunk.subarray(taken, taken + bytes), this.#filled)
      this.#filled += bytes
      taken += bytes
      const frame = this.#filled === part.length ? this.#endPart() : undefined
      if (frame) yield frame
    }
  }

  /** To be called at the end of the stream. Raises `remote` when that is within a frame. */
  end(): void {
    if (this.#filled > 0 || this.#frame) throw new LongshoreError('remote', 'it ends within a message')
  }

  #findPart(): Buffer {
    if (!this.#frame) return this.#lengths
    return this.#frame.header === undefined ? this.#frame.text : this.#frame.body
  }

  #endPart(): Frame<Header> | undefined {
    this.#filled = 0
    if (!this.#frame) {
      this.#frame = this.#startFrame()
      return undefined
    }
    const { text, body } = this.#frame
    const isHeader = this.#frame.header === undefined
    this.#frame.header ??= parseHeader<Header>(text)
    if (isHeader && body.length > 0) return undefined
    const { header } = this.#frame
    this.#frame = undefined
    return { header, body }
  }

  #startFrame(): { text: Buffer; body: Buffer } {
    const headerBytes = this.#lengths.readUInt32LE(0)
    const bodyBytes = this.#lengths.readUInt32LE(4)
    const { headerBytes: mostHeader, bodyBytes: mostBody } = this.#limits
    if (headerBytes < 2 || headerBytes > mostHeader || bodyBytes > mostBody) {
      throw new LongshoreError(
        'remote',
        `a message announces ${headerBytes} and ${bodyBytes} bytes, expected 2 to ${mostHeader} and at most ${mostBody}`,
      )
    }
    return {
      text: Buffer.allocUnsafe(headerBytes),
      body: bodyBytes === 0 ? NO_BYTES : this.#allocate(bodyBytes),
    }
  }
}

function parseHeader<Header>(text: Buffer): Header {
  try {
    const header: unknown = JSON.parse(text.toString())
    if (typeof header === 'object' && header !== null) return header as Header
  } catch (error) {
    throw new LongshoreError('remote', `a message is no JSON: ${messageOf(error)}`, { cause: error })
  }
  throw new LongshoreError('remote', 'a message is no JSON object')
}
