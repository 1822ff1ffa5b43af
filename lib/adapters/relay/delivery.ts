import { randomBytes } from 'node:crypto'
import { type DeliveryLimits, ratesAt } from '../../domain/delivery-rates.ts'
import type { GenerationStore } from '../../ports/generation-store.ts'
import type { Mender } from '../../ports/mender.ts'
import type { RemoteShell } from '../../ports/remote-shell.ts'
import type { Transport } from '../../ports/transport.ts'
import { createSshTransport } from '../ssh/transport.ts'
import { makePatchBeside } from './make-patch-beside.ts'
import { createPace } from './pace.ts'
import { createRelayTransport } from './transport.ts'

export type DeliverySettings = {
  readonly shell: RemoteShell
  readonly generations: Pick<GenerationStore, 'read' | 'locate'>
  /** Hears why something is done otherwise than planned. */
  readonly note: (message: string) => void
  readonly fleet: string
  /** The image that relays are started of. */
  readonly image: string
  /** `relayHost` is where other nodes reach it, where that is not `host`. */
  readonly nodes: readonly {
    readonly name: string
    readonly host?: string | undefined
    readonly relayHost?: string | undefined
  }[]
  /** Directory of generations on every node. */
  readonly directory: string
  readonly operationTimeoutMs: number
  readonly pieceKilobytes: number
  /** 0 for any. */
  readonly relayPort: number
  readonly stallSeconds: number
  readonly limits: DeliveryLimits
}

/** What brings generations to machines, by relays or directly, within limits that change with the time of day. */
export function createDelivery(settings: DeliverySettings): Transport & Mender {
  const { shell, generations, note, fleet, image, nodes, directory, operationTimeoutMs } = settings
  const readRates = () => {
    const now = new Date()
    return ratesAt(settings.limits, 60 * now.getHours() + now.getMinutes())
  }
  const pace = createPace(readRates)
  const hosts = new Map(nodes.map(({ name, host = name, relayHost = host }) => [name, relayHost]))
  const places = nodes.map(({ name }) => ({ name, directory }))
  return createRelayTransport({
    ...{ shell, generations, note, fleet, image, pace, readRates },
    inner: createSshTransport({ shell, pace, nodes: places, operationTimeoutMs }),
    makePatch: makePatchBeside,
    run: randomBytes(4).toString('hex'),
    port: settings.relayPort,
    pieceBytes: 1024 * settings.pieceKilobytes,
    stallMs: 1000 * settings.stallSeconds,
    homeOf: () => directory,
    hostOf: (node) => hosts.get(node) ?? node,
  })
}
