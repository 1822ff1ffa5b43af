/** As `from` of a fetch: the host of the command, which has all pieces. */
export const CONTROL = -1

/** A piece on its way to a node; `to` and `from` are positions in the order of joining, or {@link CONTROL}. */
export type Fetch = { readonly to: number; readonly from: number; readonly piece: number }

/** A fetch under way; `together` fetches shared the link of either end when it began. */
export type UnderWay = Fetch & {
  readonly since: number
  readonly together: { readonly into: number; readonly outOf: number }
  /** It is the control host's, and brings a piece to a node that others may rely on. */
  feeds: boolean
  isLate: boolean
  /** Another try for the same piece has taken its place. */
  isReplaced: boolean
}
