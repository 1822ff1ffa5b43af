import { LongshoreError } from '../../domain/errors.ts'

/** The largest file that is read as a whole: what JavaScript holds as one text, and far more than any model has. */
const MOST_BYTES = 512 * 2 ** 20 - 1

/** Raises `corrupt` for a file that is too large to be a buffer. */
export function checkBufferSize(place: string, bytes: number): void {
  if (bytes <= MOST_BYTES) return
  throw new LongshoreError('corrupt', `${place}: has ${bytes} bytes, expected ${MOST_BYTES} at the most`)
}
