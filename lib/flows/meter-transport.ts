import type { Transport } from '../ports/transport.ts'

/** A transport that works as the given one, and what it has sent: bytes by the name of the node. */
export function meterTransport(inner: Transport): {
  transport: Transport
  sent: ReadonlyMap<string, number>
} {
  const sent = new Map<string, number>()
  const transport: Transport = {
    inspect: (...args) => inner.inspect(...args),
    verify: (...args) => inner.verify(...args),
    remove: (...args) => inner.remove(...args),
    close: () => inner.close(),
    deliver: (node, directory, manifest, options) =>
      inner.deliver(node, directory, manifest, {
        ...options,
        onBytes(bytes) {
          sent.set(node, (sent.get(node) ?? 0) + bytes)
          options.onBytes?.(bytes)
        },
      }),
  }
  return { transport, sent }
}
