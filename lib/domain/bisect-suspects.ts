import type { Entry } from './batch.ts'
import type { Task } from './bisect.ts'
import { makeControl } from './control-content.ts'

/** An entry that was refused alone, and why. */
export type Suspect = { readonly entry: Entry; readonly reason: string; readonly refusedAt: number }

/** So many suspects in a row are more than chance: the server has to prove itself. */
const MOST_SUSPECTS = 32

/**
 * Entries that were refused alone. One is guilty only when a request that was sent after its refusal has succeeded: a
 * server that suddenly refuses everything must not bury a gallery. Where nothing else is to be sent, a witness is.
 */
export class Suspects {
  private list: Suspect[] = []
  private good: Entry | undefined
  private isAsking = false

  get size(): number {
    return this.list.length
  }

  /** Whether nothing else is worth sending before the server has proven itself. */
  get isTooMany(): boolean {
    return this.list.length >= MOST_SUSPECTS
  }

  /** What was refused last. */
  get reason(): string | undefined {
    return this.list.at(-1)?.reason
  }

  add({ entries, refusedAt = 0 }: Task, reason: string): void {
    this.list.push({ entry: entries[0]!, reason, refusedAt })
  }

  /** Takes out those that a success proves guilty. */
  takeProven(succeeded: number): Suspect[] {
    const proven = this.list.filter(({ refusedAt }) => refusedAt < succeeded)
    this.list = this.list.filter(({ refusedAt }) => refusedAt >= succeeded)
    return proven
  }

  /** An entry that was embedded just now: it can be. */
  remember(entry: Entry | undefined): void {
    this.good = entry
  }

  /** A request that shows whether the server embeds what can be embedded; undefined while one is under way. */
  askWitness(): Task | undefined {
    if (this.isAsking) return undefined
    this.isAsking = true
    const kind = this.list[0]?.entry.content.kind ?? 'text'
    const entry = this.good ?? { hash: new Uint8Array(), content: makeControl(kind) }
    return { entries: [entry], tries: 0, isWitness: true }
  }

  /** The witness was embedded. */
  hearWitness(): void {
    this.isAsking = false
  }
}
