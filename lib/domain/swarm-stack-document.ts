import { canonicalJson, type Json } from './canonical-json.ts'
import { LongshoreError, messageOf } from './errors.ts'
import type { Content, MadeService } from './made-service.ts'
import type { ServiceSpec } from './service.ts'
import { LABELS } from './swarm-names.ts'
import { assembleStack, mapTexts, type StackService } from './swarm-stack.ts'

/** All services of a fleet as one stack file. Services that docker makes of it are still known as the fleet's. */
export function describeStack(services: readonly MadeService[], fleet: string): Content {
  const named = services.map(({ spec, content }) => {
    const labels = { [LABELS.fleet]: fleet, [LABELS.spec]: canonicalJson(spec as unknown as Json) }
    return [spec.name, withLabels(content, labels)]
  })
  return assembleStack(Object.fromEntries(named), fleet)
}

/** The services of such a stack file. Raises `corrupt` where a service does not say what it is. */
export function parseStack(document: Json): MadeService[] {
  try {
    const readable = mapTexts(document, (text) => text.replaceAll('$$', '$'))
    const { services } = readable as { services: Record<string, StackService> }
    return Object.entries(services).map(([name, service]) => parseService(name, service))
  } catch (error) {
    throw new LongshoreError('corrupt', `the stack is not as apply.mjs writes it: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function parseService(name: string, service: StackService): MadeService {
  const { labels, ...deploy } = service.deploy as { labels?: Record<string, string> } & StackService
  const spec = JSON.parse(labels?.[LABELS.spec] ?? 'null') as ServiceSpec | null
  if (spec?.name !== name) throw new Error(`${name} has no label ${LABELS.spec} of its own`)
  return { spec, content: { ...service, deploy } }
}

function withLabels(content: Content, labels: Record<string, string>): StackService {
  return { ...content, deploy: { ...(content.deploy as StackService), labels } }
}
