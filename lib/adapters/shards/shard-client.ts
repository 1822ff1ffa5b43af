import { setTimeout as pause } from 'node:timers/promises'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { DIGEST_HEADER } from '../../domain/shard-export.ts'
import type { SourceShard } from '../../domain/shards-file.ts'
import { type HttpAnswer, type HttpConnections, hideUser } from '../http/client.ts'

/** How often all addresses of a shard are asked before it counts as lost, and how long they are left alone between. */
const ROUNDS = 3
const PAUSE_MS = 500

export type ShardClientOptions = {
  readonly http: HttpConnections
  /** How long one answer may take. */
  readonly overallMs: number
}

/** Asks a shard of another fleet: its master, and its slaves once that fails. */
export class ShardClient {
  readonly where: string
  readonly #addresses: readonly string[]
  readonly #options: ShardClientOptions
  /** The address that answered last. */
  #at = 0

  constructor({ where, addresses }: SourceShard, options: ShardClientOptions) {
    this.where = where
    this.#addresses = addresses
    this.#options = options
  }

  /** The answer to a path, of the generation with this digest where one is given. Raises `remote` naming what each address did. */
  async get(
    path: string,
    { signal, digest }: { readonly signal: AbortSignal; readonly digest?: string },
  ): Promise<HttpAnswer> {
    const failures = new Map<string, string>()
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0) await pause(PAUSE_MS, undefined, { signal })
      for (let tried = 0; tried < this.#addresses.length; tried++) {
        const address = this.#addresses[this.#at]!
        const answer = await this.#ask(new URL(path, address), { signal, digest })
        if (typeof answer !== 'string') return answer
        failures.set(hideUser(address), answer)
        this.#at = (this.#at + 1) % this.#addresses.length
      }
    }
    const told = [...failures].map(([address, failure]) => `${address}: ${failure}`).join('; ')
    throw new LongshoreError('remote', `${this.where}: neither master nor slaves answer: ${told}`, {
      hint: 'correct the addresses, or start the service again; the same command goes on',
    })
  }

  /** The answer, or why it is none. Raises the signal's reason. */
  async #ask(
    url: URL,
    { signal, digest }: { readonly signal: AbortSignal; readonly digest: string | undefined },
  ): Promise<HttpAnswer | string> {
    const { http, overallMs } = this.#options
    try {
      const answer = await http.get(url.href, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(overallMs)]),
      })
      if (answer.status !== 200) return `${answer.status} ${answer.body.toString('utf8').slice(0, 200)}`
      const found = answer.headers[DIGEST_HEADER]
      return digest === undefined || found === digest ? answer : `holds ${found}, expected ${digest}`
    } catch (error) {
      signal.throwIfAborted()
      return messageOf(error)
    }
  }
}
