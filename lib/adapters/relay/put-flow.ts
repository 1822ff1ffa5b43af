import { SendWindow } from '../../domain/send-window.ts'
import type { RelayLink } from './start-relay.ts'

/** A piece that is to be sent, read once its turn has come. */
export type Put = {
  readonly piece: number
  /** Whether the node still lacks it. */
  isWanted(): boolean
  /** Resolves once it may leave, to its bytes. */
  read(): Promise<{ readonly sha256: string; readonly bytes: Uint8Array }>
}

/** A frame of this size holds up others for no time that matters; with its header it is one packet of SSH. */
const PART_BYTES = 32 * 1024 - 256
/** So that the next part is on its way when the last one is acknowledged. */
const LEAST_PARTS = 2

/**
 * Sends pieces to one relay, one after the other, in parts: no more than it has room for and acknowledges, so that orders
 * overtake them here.
 */
export class PutFlow {
  readonly #link: Pick<RelayLink, 'give'>
  readonly #window = new SendWindow(LEAST_PARTS * PART_BYTES)
  #last: Promise<unknown> = Promise.resolve()
  #wake: () => void = () => undefined
  #isOver = false

  constructor(link: Pick<RelayLink, 'give'>) {
    this.#link = link
  }

  /** Resolves to the bytes that were sent, once the relay has been given the last of them. Raises what reading raises. */
  send(put: Put): Promise<number> {
    const sent = this.#last.then(() => this.#send(put))
    this.#last = sent.catch(() => undefined)
    return sent
  }

  /** So many bytes have come there since the beginning. */
  acknowledge(total: number): void {
    this.#window.noteHeard(total, performance.now())
    this.#wake()
  }

  /** What has not been sent is not sent any more. */
  end(): void {
    this.#isOver = true
    this.#wake()
  }

  async #send({ piece, isWanted, read }: Put): Promise<number> {
    if (this.#isOver || !isWanted()) return 0
    const { sha256, bytes } = await read()
    for (let offset = 0; offset < bytes.length; offset += PART_BYTES) {
      const part = bytes.subarray(offset, offset + PART_BYTES)
      await this.#waitForRoom(part.length)
      if (this.#isOver) return offset
      this.#window.noteSent(part.length, performance.now())
      // Not waited for: what is acknowledged is what counts.
      this.#link.give({ do: 'put', piece, sha256, offset }, part)
    }
    return bytes.length
  }

  async #waitForRoom(bytes: number): Promise<void> {
    while (!this.#isOver && !this.#window.hasRoom(bytes)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
