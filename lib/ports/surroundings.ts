import type { Finding } from '../domain/finding.ts'

/** What was found, and the nodes that said nothing, with the reason. */
export type Survey = {
  readonly findings: readonly Finding[]
  readonly silent: readonly { readonly name: string; readonly problem: string; readonly hint?: string }[]
}

/** What an engine knows of machines and services beyond what is observed, and an update depends on. */
export interface Surroundings {
  /**
   * Looks at what would make an update fail, and changes nothing. What cannot be looked at before `signal` aborts is
   * part of the answer: this raises nothing.
   */
  examine(signal: AbortSignal): Promise<Survey>
}
