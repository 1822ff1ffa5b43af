import { LongshoreError } from '../../../lib/domain/errors.ts'
import { EMPTY_RECORD, type FleetRecord, type JournalEntry } from '../../../lib/domain/record.ts'
import type { Claim, Lease, StateStore } from '../../../lib/ports/state-store.ts'

type Holder = { readonly claim: Claim; readonly since: string; readonly fence: number; loose(): void }

/** A fleet's memory in memory. */
export class FakeStateStore implements StateStore {
  record: FleetRecord = EMPTY_RECORD
  readonly entries: JournalEntry[] = []
  /** Why a write shall fail, if so; `what` is the record or the journal entry. */
  failOn: (what: FleetRecord | JournalEntry) => Error | undefined = () => undefined
  private fence = 0
  private holder: Holder | null = null

  /** The claim of whoever holds the lock. */
  get claim(): Claim | undefined {
    return this.holder?.claim
  }

  /** Makes the present owner dead: its lease may be taken over from now on. */
  abandon(): void {
    this.holder?.loose()
    this.holder = null
  }

  async findHolder(): Promise<string | undefined> {
    if (!this.holder) return undefined
    const { claim, since } = this.holder
    return `locked by ${claim.owner} since ${since}: ${claim.doing}`
  }

  async acquire(claim: Claim): Promise<Lease> {
    const other = await this.findHolder()
    if (other !== undefined) throw new LongshoreError('locked', other)
    const controller = new AbortController()
    const fence = ++this.fence
    const loose = () => controller.abort(new LongshoreError('locked', 'the lease was lost'))
    this.holder = { claim, since: new Date().toISOString(), fence, loose }
    return {
      fence,
      lost: controller.signal,
      release: async () => {
        if (this.holder?.fence === fence) this.holder = null
      },
    }
  }

  async read(): Promise<FleetRecord> {
    return this.record
  }

  async write(record: FleetRecord, lease: Lease): Promise<void> {
    this.check(record, lease)
    this.record = record
  }

  async append(entry: JournalEntry, lease: Lease): Promise<void> {
    this.check(entry, lease)
    this.entries.push(entry)
  }

  async journal(): Promise<readonly JournalEntry[]> {
    return [...this.entries]
  }

  private check(what: FleetRecord | JournalEntry, lease: Lease): void {
    if (this.holder?.fence !== lease.fence) {
      throw new LongshoreError('locked', 'the lease was lost: somebody else has taken the lock over')
    }
    const failure = this.failOn(what)
    if (failure) throw failure
  }
}
