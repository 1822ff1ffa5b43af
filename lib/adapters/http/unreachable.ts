import { LongshoreError } from '../../domain/errors.ts'

/** Nobody answered: the connection failed, or time ran out. Asking again, or somebody else, may help. */
export class UnreachableError extends LongshoreError {
  constructor(message: string, cause?: unknown) {
    super('remote', message, { cause })
  }
}
