import type { Json } from '../domain/canonical-json.ts'

/**
 * What a file tells of the services: `staging` what they shall be, `unfinished` what ran when an apply began that has
 * not ended, `current` what was applied last, `former` what ran before that.
 */
export type StackPlace = 'staging' | 'unfinished' | 'current' | 'former'

/** The services of a profile in files: for people to read, and as the way back. */
export interface StackFiles {
  /** The file's path, as messages name it. */
  locate(place: StackPlace): string
  /** Null where there is no such file. Raises `corrupt`. */
  read(place: StackPlace): Promise<Json | null>
  /** Replaces the file at once. */
  write(place: StackPlace, document: Json): Promise<void>
  /** Puts one file in the place of another. */
  move(from: StackPlace, to: StackPlace): Promise<void>
  /** Succeeds when there is no such file. */
  remove(place: StackPlace): Promise<void>
}
