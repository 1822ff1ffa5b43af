import type { Socket } from 'node:net'

/** Rounds without a word after which a node counts as gone. */
const SILENCE_LIMIT = 3

/**
 * Destroys a connection over which not one byte has come for four rounds of `intervalMs`, in each of which the node is
 * asked for one. Any byte will do: what says that a node has taken our data comes long before the answer to a
 * question that waits behind them.
 */
export function watchSilence(socket: Socket, intervalMs: number): void {
  let heard = socket.bytesRead
  let silent = 0
  const look = () => {
    silent = socket.bytesRead === heard ? silent + 1 : 0
    heard = socket.bytesRead
    if (silent > SILENCE_LIMIT)
      socket.destroy(new Error(`it said nothing for ${(silent * intervalMs) / 1000} s`))
  }
  const timer = setInterval(look, intervalMs)
  socket.once('close', () => clearInterval(timer))
}
