import type { Manifest } from '../domain/manifest.ts'
import type { Model } from '../domain/model.ts'
import type { GateLimits, GateResult } from '../domain/quality.ts'
import type { Embedder } from './embedder.ts'
import type { Reporter } from './reporter.ts'

export type GateContext = {
  readonly limits: GateLimits
  /** The model that queries will be embedded with. */
  readonly model: Model
  /** Re-embeds sampled texts for the model gate; null when no embedder can be reached, which the gate says. */
  readonly embedder: Embedder | null
  readonly reporter: Reporter
  readonly signal: AbortSignal
}

/** The generations on the operator's machine. */
export interface GenerationStore {
  /** Names of all generations, oldest first. */
  list(): Promise<string[]>
  /** Raises `not-found`, or `corrupt` when the manifest is not whole. */
  read(name: string): Promise<Manifest>
  /** The directory of a generation. */
  locate(name: string): string
  /** SHA-256 of manifest.json as it stands, to recognise one that cannot be read. */
  fingerprint(name: string): Promise<string>
  /** Measures every gate on the files as they are on disk. Raises `corrupt` when they differ from the manifest. */
  measure(manifest: Manifest, context: GateContext): Promise<GateResult[]>
}
