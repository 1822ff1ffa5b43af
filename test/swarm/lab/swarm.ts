import { eventually } from '../../support/eventually.ts'
import type { LabNode } from './layout.ts'

/** Asks the engine of a node, as `docker` on the command line does; resolves to what it prints. */
export type Docker = (node: LabNode, ...args: string[]) => Promise<string>

type Membership = { readonly LocalNodeState: string; readonly NodeID: string }

const DEADLINE_MS = 60_000

/**
 * Makes the engines one Swarm, the first node its first manager; those that belong to it already are left alone. Every
 * node has the label `lab.node` with its name. Resolves when all are ready.
 */
export async function formSwarm(docker: Docker, nodes: readonly LabNode[]): Promise<void> {
  const [first, ...others] = nodes as [LabNode, ...LabNode[]]
  if ((await settle(docker, first)).LocalNodeState !== 'active') {
    await docker(first, 'swarm', 'init', ...addressOf(first), '--task-history-limit', '5')
  }
  await eventually(() => docker(first, 'node', 'ls'), DEADLINE_MS)
  // Managers come one by one: each changes what a majority is.
  for (const node of others.filter(({ isManager }) => isManager)) await join(docker, first, node)
  await Promise.all(others.filter(({ isManager }) => !isManager).map((node) => join(docker, first, node)))
  await eventually(() => checkReady(docker, first, nodes), DEADLINE_MS)
  await Promise.all(
    nodes.map(async (node) => {
      const { NodeID } = await readMembership(docker, node)
      await docker(first, 'node', 'update', '--label-add', `lab.node=${node.name}`, NodeID)
    }),
  )
}

async function join(docker: Docker, first: LabNode, node: LabNode): Promise<void> {
  const { LocalNodeState: state, NodeID } = await settle(docker, node)
  const members = (await docker(first, 'node', 'ls', '--quiet')).split('\n')
  if (state === 'active' && members.includes(NodeID)) return
  if (state !== 'inactive') await docker(node, 'swarm', 'leave', '--force')
  const token = await docker(first, 'swarm', 'join-token', '-q', node.isManager ? 'manager' : 'worker')
  await docker(node, 'swarm', 'join', '--token', token, ...addressOf(node), `${first.host}:2377`)
}

/** What an engine says of its membership, once it knows. */
async function settle(docker: Docker, node: LabNode): Promise<Membership> {
  return await eventually(async () => {
    const membership = await readMembership(docker, node)
    if (membership.LocalNodeState === 'pending') throw new Error(`${node.name} is about to join`)
    return membership
  }, DEADLINE_MS)
}

async function readMembership(docker: Docker, node: LabNode): Promise<Membership> {
  return JSON.parse(await docker(node, 'info', '--format', '{{json .Swarm}}')) as Membership
}

async function checkReady(docker: Docker, first: LabNode, nodes: readonly LabNode[]): Promise<void> {
  const told = await docker(first, 'node', 'ls', '--format', '{{.Hostname}} {{.Status}}')
  const ready = told.split('\n').filter((line) => line.endsWith(' Ready'))
  if (ready.length < nodes.length) throw new Error(`not all nodes are ready: ${told.replaceAll('\n', ', ')}`)
}

function addressOf({ host }: LabNode): string[] {
  return ['--advertise-addr', host, '--listen-addr', `${host}:2377`]
}
