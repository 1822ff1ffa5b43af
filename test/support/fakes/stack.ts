import type { Json } from '../../../lib/domain/canonical-json.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { Content, MadeService } from '../../../lib/domain/made-service.ts'
import type { Stack } from '../../../lib/ports/stack.ts'
import type { StackFiles, StackPlace } from '../../../lib/ports/stack-files.ts'
import type { FakeOrchestrator } from './orchestrator.ts'

/** The services of a fake orchestrator by their content. */
export function createFakeStack(orchestrator: FakeOrchestrator): Stack {
  return {
    async render(specs, { signal }) {
      signal.throwIfAborted()
      return specs.map((spec) => ({ spec, content: orchestrator.render(spec) }))
    },
    async observe({ signal }) {
      const services = await orchestrator.observe(signal)
      return services.map(({ spec }) => ({ spec, content: orchestrator.contents.get(spec.name)! }))
    },
    describe: (services) => ({ services: services as unknown as Json }) as Content,
    parse(document) {
      const { services } = (document ?? {}) as { services?: MadeService[] }
      if (!Array.isArray(services)) throw new LongshoreError('corrupt', 'the stack has no services')
      return services
    },
  }
}

/** Files in memory, as what they hold. */
export class FakeStackFiles implements StackFiles {
  readonly documents = new Map<StackPlace, Json>()

  locate(place: StackPlace): string {
    return `/fake/${place}.yml`
  }

  async read(place: StackPlace): Promise<Json | null> {
    return this.documents.get(place) ?? null
  }

  async write(place: StackPlace, document: Json): Promise<void> {
    this.documents.set(place, JSON.parse(JSON.stringify(document)))
  }

  async move(from: StackPlace, to: StackPlace): Promise<void> {
    const document = this.documents.get(from)
    if (document === undefined) throw new Error(`there is no ${from}`)
    this.documents.set(to, document)
    this.documents.delete(from)
  }

  async remove(place: StackPlace): Promise<void> {
    this.documents.delete(place)
  }
}
