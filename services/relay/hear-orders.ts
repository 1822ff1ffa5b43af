import { FRAME_LIMITS, type Frame, readFrames } from '../../lib/adapters/relay/frames.ts'
import { type Order, SILENCE_MS } from '../../lib/adapters/relay/protocol.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { Clock } from '../clock.ts'
import { PIECE_BUFFERS } from './piece-buffers.ts'

/**
 * The orders of a stream until it ends. Raises `remote` when it hears nothing for too long, while it listens, and for
 * what is no order.
 */
export function hearOrders(source: AsyncIterable<Uint8Array>, clock: Clock): AsyncGenerator<Frame<Order>> {
  const chunks = hear(source[Symbol.asyncIterator](), clock)
  return readFrames<Order>(chunks, FRAME_LIMITS, (bytes) => PIECE_BUFFERS.take(bytes))
}

async function* hear(source: AsyncIterator<Uint8Array>, clock: Clock): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { promise: silence, reject } = Promise.withResolvers<never>()
    const cancel = clock.after(SILENCE_MS, () =>
      reject(new LongshoreError('remote', `no order came for ${SILENCE_MS / 1000} s`)),
    )
    const { done, value } = await Promise.race([source.next(), silence]).finally(cancel)
    if (done) return
    yield value
  }
}
