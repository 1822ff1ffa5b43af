import { randomBytes } from 'node:crypto'

import { createGenerationStore } from '../adapters/generations/store.ts'
import { makePatchBeside } from '../adapters/relay/make-patch-beside.ts'
import { createPace } from '../adapters/relay/pace.ts'
import { createRelayTransport } from '../adapters/relay/transport.ts'
import { createSshTransport } from '../adapters/ssh/transport.ts'
import type { Profile } from '../config/schema.ts'
import { ratesAt } from '../domain/delivery-rates.ts'
import type { RemoteShell } from '../ports/remote-shell.ts'
import type { Transport } from '../ports/transport.ts'

export type DeliveryParts = {
  readonly shell: RemoteShell
  /** Hears why something is done otherwise than planned. */
  readonly note: (message: string) => void
}

/** What brings generations to the nodes of a Swarm, within the limits of the profile. */
export function createDelivery(profile: Profile, { shell, note }: DeliveryParts): Transport {
  const { nodes, swarm, ssh, delivery } = profile
  const readRates = () => {
    const now = new Date()
    return ratesAt(delivery.limits, 60 * now.getHours() + now.getMinutes())
  }
  const pace = createPace(readRates)
  const hosts = new Map(nodes.map(({ name, host = '', relayHost = host }) => [name, relayHost]))
  const inner = createSshTransport({
    shell,
    pace,
    nodes: nodes.map(({ name }) => ({ name, directory: swarm.dataDirectory })),
    operationTimeoutMs: 1000 * ssh.operationSeconds,
  })
  return createRelayTransport({
    ...{ inner, shell, pace, readRates, note, makePatch: makePatchBeside },
    fleet: profile.name,
    image: swarm.image ?? '',
    run: randomBytes(4).toString('hex'),
    port: delivery.relayPort,
    pieceBytes: 1024 * delivery.pieceKilobytes,
    stallMs: 1000 * delivery.stallSeconds,
    hostOf: (node) => hosts.get(node) ?? node,
    generations: createGenerationStore(profile.generations),
  })
}
