import type { Milestone, Transport } from '../ports/transport.ts'

/** What is known of the delivery to one node. */
export type Meter = {
  /** Bytes that arrived at the node, wherever they came from. */
  readonly arrived: number
  /** Bytes that left this machine for it. */
  readonly sent: number
  /** Bytes that it made itself of what it held. */
  readonly saved: number
  /** When each milestone was first told, in milliseconds since the epoch. */
  readonly milestones: Readonly<Partial<Record<Milestone, number>>>
}

const NOTHING: Meter = { arrived: 0, sent: 0, saved: 0, milestones: {} }

/** A transport that works as the given one, and what it has carried to each node. */
export function meterTransport(
  inner: Transport,
  now: () => number,
): { transport: Transport; readMeter(node: string): Meter; countSent(): number } {
  const meters = new Map<string, Meter>()
  const readMeter = (node: string) => meters.get(node) ?? NOTHING
  const add = (node: string, change: Partial<Meter>) => meters.set(node, { ...readMeter(node), ...change })
  const transport: Transport = {
    expect: (nodes) => inner.expect?.(nodes),
    inspect: (...args) => inner.inspect(...args),
    verify: (...args) => inner.verify(...args),
    remove: (...args) => inner.remove(...args),
    close: () => inner.close(),
    deliver: (node, directory, manifest, options) =>
      inner.deliver(node, directory, manifest, {
        ...options,
        onBytes(bytes) {
          add(node, { arrived: readMeter(node).arrived + bytes })
          options.onBytes?.(bytes)
        },
        onSent(bytes) {
          add(node, { sent: readMeter(node).sent + bytes })
          options.onSent?.(bytes)
        },
        onSaved(bytes) {
          add(node, { saved: readMeter(node).saved + bytes })
          options.onSaved?.(bytes)
        },
        onMilestone(milestone) {
          const { milestones } = readMeter(node)
          add(node, { milestones: { [milestone]: now(), ...milestones } })
          options.onMilestone?.(milestone)
        },
      }),
  }
  const countSent = () => [...meters.values()].reduce((sum, { sent }) => sum + sent, 0)
  return { transport, readMeter, countSent }
}
