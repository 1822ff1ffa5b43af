/** A text or an image that a model cannot take: the fault of its sender. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}
