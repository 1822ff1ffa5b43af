import type { Json } from '../../domain/canonical-json.ts'
import { LongshoreError } from '../../domain/errors.ts'
import type { Content, MadeService } from '../../domain/made-service.ts'
import { SERVICE_KINDS, type ServiceSpec } from '../../domain/service.ts'
import type { Orchestrator } from '../../ports/orchestrator.ts'
import type { Stack } from '../../ports/stack.ts'

/** The stack of a fleet on this machine: its agent makes services of their specs alone. */
export function createLocalStack(orchestrator: Pick<Orchestrator, 'observe'>): Stack {
  return {
    async render(specs, { signal }) {
      signal.throwIfAborted()
      return specs.map(makeOf)
    },
    observe: async ({ signal }) => (await orchestrator.observe(signal)).map(({ spec }) => makeOf(spec)),
    describe: (services) => ({
      services: Object.fromEntries(services.map(({ spec, content }) => [spec.name, content])),
    }),
    parse: (document) =>
      Object.entries(readServices(document)).map(([name, content]) => parse(name, content)),
  }
}

function makeOf(spec: ServiceSpec): MadeService {
  const { name: _name, ...content } = spec
  return { spec, content: content as unknown as Content }
}

function readServices(document: Json): { readonly [key: string]: Json } {
  const { services } = (isRecord(document) ? document : {}) as { services?: Json }
  if (isRecord(services)) return services
  throw new LongshoreError('corrupt', 'the stack is not as apply.mjs writes it: it has no services')
}

function parse(name: string, content: Json): MadeService {
  if (isRecord(content) && (SERVICE_KINDS as readonly unknown[]).includes(content.kind)) {
    return makeOf({ name, ...content } as unknown as ServiceSpec)
  }
  throw new LongshoreError('corrupt', `the stack is not as apply.mjs writes it: ${name} is no service`)
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
