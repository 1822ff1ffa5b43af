import { LongshoreError } from '../../../lib/domain/errors.ts'
import { compareGenerations } from '../../../lib/domain/generation.ts'
import type { Manifest } from '../../../lib/domain/manifest.ts'
import { atLeast, type GateResult } from '../../../lib/domain/quality.ts'
import type { GateContext, GenerationStore } from '../../../lib/ports/generation-store.ts'

/** Generations in memory. */
export class FakeGenerationStore implements GenerationStore {
  readonly manifests = new Map<string, Manifest>()
  /** Error that measuring or reading a generation raises, by its name. */
  readonly failures = new Map<string, Error>()
  /** What the gates say of a generation; one passed gate by default. */
  gatesOf: (manifest: Manifest, context: GateContext) => GateResult[] = () => [
    atLeast('selfRouting', 0.98, 0.9),
  ]

  constructor(manifests: readonly Manifest[] = []) {
    for (const manifest of manifests) this.add(manifest)
  }

  add(manifest: Manifest): void {
    this.manifests.set(manifest.generation, manifest)
  }

  async list(): Promise<string[]> {
    return [...this.manifests.keys()].sort(compareGenerations)
  }

  async read(name: string): Promise<Manifest> {
    const failure = this.failures.get(name)
    if (failure) throw failure
    const manifest = this.manifests.get(name)
    if (!manifest) throw new LongshoreError('not-found', `there is no generation ${name}`)
    return manifest
  }

  locate(name: string): string {
    return `/fake/dgs/${name}`
  }

  async fingerprint(name: string): Promise<string> {
    const manifest = this.manifests.get(name)
    if (!manifest) throw new LongshoreError('not-found', `there is no generation ${name}`)
    return `sha256:of-${manifest.digest.slice(7, 23)}`
  }

  async measure(manifest: Manifest, context: GateContext): Promise<GateResult[]> {
    context.signal.throwIfAborted()
    await this.read(manifest.generation)
    return this.gatesOf(manifest, context)
  }
}
