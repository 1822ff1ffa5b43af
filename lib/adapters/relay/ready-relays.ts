import { SILENCE_MS } from './protocol.ts'
import { type RelayLink, type RelayPlace, type RelaySettings, startRelay } from './start-relay.ts'

/** One that was not needed for so long may be about to end by itself. */
const FRESH_MS = SILENCE_MS / 2

type ReadyRelay = { readonly link: RelayLink; readonly startedAt: number; isOver: boolean }

/** Relays that are started before it is known what they are for; they do nothing but wait for orders. */
export class ReadyRelays {
  readonly #settings: RelaySettings
  readonly #relays = new Map<string, ReadyRelay>()

  constructor(settings: RelaySettings) {
    this.#settings = settings
  }

  /** Starts one on a node, unless there is one. Whatever keeps it from running is told when it is needed. */
  start(place: RelayPlace): void {
    if (this.#relays.has(place.node)) return
    const relay = { link: startRelay(this.#settings, place), startedAt: performance.now(), isOver: false }
    const end = () => {
      relay.isOver = true
    }
    relay.link.ended.then(end, end)
    this.#relays.set(place.node, relay)
  }

  /** The relay that waits on a node, or else a new one. */
  take(place: RelayPlace): RelayLink {
    const relay = this.#relays.get(place.node)
    this.#relays.delete(place.node)
    if (!relay || relay.isOver) return startRelay(this.#settings, place)
    if (performance.now() - relay.startedAt < FRESH_MS) return relay.link
    relay.link.end()
    return startRelay(this.#settings, place)
  }

  /** Ends those that were not needed. */
  async close(): Promise<void> {
    const links = [...this.#relays.values()].map(({ link }) => link)
    this.#relays.clear()
    for (const link of links) link.end()
    await Promise.allSettled(links.map(({ ended }) => ended))
  }
}
