import { createManager } from '../../../lib/adapters/swarm/docker-client.ts'
import type { SwarmSettings } from '../../../lib/domain/swarm-stack.ts'
import { createLocalShell, type LocalShellOptions } from './local-shell.ts'

/**
 * `node=address` of every engine of a real Swarm, the manager first, for example
 * `n1=unix:///run/n1.sock,n2=unix:///run/n2.sock`; its nodes have an image `longshore/stub:1` and a directory /tmp/indices.
 */
const ENGINES = process.env.LONGSHORE_SWARM_ENGINES

export function hasSwarm(): boolean {
  return ENGINES !== undefined
}

export const NODES = ['n1', 'n2'] as const

/** Promises at work at a time: each mostly waits for the Swarm, and all together for two processors. */
export const AT_ONCE = 4

let made = 0

export function makeSettings(overrides: Partial<SwarmSettings> = {}): SwarmSettings {
  return {
    fleet: `t${process.pid}-${++made}`,
    image: 'longshore/stub:1',
    dataDirectory: '/tmp/indices',
    publish: 'host',
    entry: 'services/stub.ts',
    healthSeconds: 1,
    lameDuckSeconds: 0.3,
    graceSeconds: 5,
    monitorSeconds: 1,
    ...overrides,
  }
}

export function makeShell(before?: LocalShellOptions['before']) {
  const pairs = (ENGINES ?? '').split(',').map((pair) => pair.split('=') as [string, string])
  return createLocalShell({ engines: Object.fromEntries(pairs), ...(before && { before }) })
}

export function makeManager(before?: LocalShellOptions['before']) {
  const shell = makeShell(before)
  return { shell, manager: createManager(shell, ['n1']) }
}
