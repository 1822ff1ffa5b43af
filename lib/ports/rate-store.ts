import type { Kind, MeasuredRate, MeasuredRates } from '../domain/measured-rates.ts'

/** Remembers on this machine how long deliveries took. */
export interface RateStore {
  read(): Promise<MeasuredRates>
  /** Replaces what is known of one node and kind of delivery. */
  note(node: string, kind: Kind, rate: MeasuredRate): Promise<void>
}
