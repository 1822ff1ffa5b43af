/** What a fuzz run has sent, and what came of it. */
export type FuzzTotals = {
  readonly bodies: number
  /** The first seed that was not used. */
  readonly nextSeed: number
  /** By service and status. */
  readonly statuses: Readonly<Record<string, Record<number, number>>>
}
