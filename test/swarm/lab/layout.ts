import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'

/** A machine of the lab, as a profile needs to know it. */
export type LabNode = {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
  /** Files on this machine: the operator's private key, and what is known of the nodes' host keys. */
  readonly key: string
  readonly knownHosts: string
  readonly isManager: boolean
  /** The socket of the node's engine, as seen from this machine. */
  readonly socket: string
}

/** Everything the lab is made of by name, the content of `lab.json`. */
export type Layout = {
  /** Begins the name of every cgroup and link of the lab. */
  readonly id: string
  readonly state: string
  /** The first three numbers of every address. */
  readonly subnet: string
  /** This machine's address on the switch of the lab. */
  readonly address: string
  readonly nodes: readonly LabNode[]
}

export type LayoutOptions = {
  readonly state: string
  readonly nodes: number
  /** How many of the nodes, from the first, are managers. */
  readonly managers: number
}

/** Names a lab by its state directory alone, so that two labs never meet and one can be taken down without a file of it. */
export function layOut({ state: directory, nodes, managers }: LayoutOptions): Layout {
  const state = resolve(directory)
  const hash = createHash('sha256').update(state).digest()
  // 198.18.0.0/15 is set aside for tests of networks (RFC 2544), so nothing real is reached by it.
  const subnet = `198.${18 + (hash[0]! & 1)}.${hash[1]}`
  const describe = (_: unknown, index: number): LabNode => ({
    name: `n${index + 1}`,
    host: `${subnet}.${index + 1}`,
    port: 22,
    user: 'root',
    key: join(state, 'ssh/id_ed25519'),
    knownHosts: join(state, 'ssh/known_hosts'),
    isManager: index < managers,
    socket: join(state, `n${index + 1}/run/docker.sock`),
  })
  return {
    id: `longshore-${hash.toString('hex', 0, 3)}`,
    state,
    subnet,
    address: `${subnet}.254`,
    nodes: Array.from({ length: nodes }, describe),
  }
}

/** The number of a node, which is the last of its address. */
export function numberOf({ name }: LabNode): number {
  return Number(name.slice(1))
}
