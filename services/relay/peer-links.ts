import type { Peer } from '../../lib/adapters/relay/protocol.ts'
import { PeerLink } from './peer-link.ts'

/** The connections to other relays, one to each. */
export class PeerLinks {
  readonly #links = new Map<string, PeerLink>()
  readonly #secret: Buffer
  readonly #pieceBytes: number

  constructor(secret: Buffer, pieceBytes: number) {
    this.#secret = secret
    this.#pieceBytes = pieceBytes
  }

  to(peer: Peer): PeerLink {
    const address = `${peer.host} ${peer.port}`
    const link =
      this.#links.get(address) ?? new PeerLink({ peer, secret: this.#secret, pieceBytes: this.#pieceBytes })
    this.#links.set(address, link)
    return link
  }

  close(): void {
    for (const link of this.#links.values()) link.close()
  }
}
