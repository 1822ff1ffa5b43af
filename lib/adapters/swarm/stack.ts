import { describeStack, parseStack } from '../../domain/swarm-stack-document.ts'
import type { Stack } from '../../ports/stack.ts'
import { makeService } from './apply-service.ts'
import type { Engine } from './engine-parts.ts'
import { readFleet, readNodes } from './read-fleet.ts'

/** The stack of a fleet: services as `docker stack deploy` takes them. */
export function createSwarmStack({ manager, settings }: Pick<Engine, 'manager' | 'settings'>): Stack {
  const { fleet } = settings
  return {
    async render(specs, { signal, deadlineMs }) {
      const nodes = await readNodes(manager, signal)
      return specs.map((spec) => makeService({ settings }, spec, { nodes, deadlineMs }))
    },
    async observe({ signal, deadlineMs }) {
      signal.throwIfAborted()
      const { services, nodes } = await readFleet(manager, fleet, signal)
      return services.map(({ spec, content }) => {
        return content ? { spec, content } : makeService({ settings }, spec, { nodes, deadlineMs })
      })
    },
    describe: (services) => describeStack(services, fleet),
    parse: parseStack,
  }
}
