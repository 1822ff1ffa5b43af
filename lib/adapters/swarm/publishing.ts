import type { Publishing } from '../../ports/publishing.ts'
import { inspectServices } from './docker-argv.ts'
import type { Manager } from './docker-client.ts'
import { splitLines } from './read-fleet.ts'

type RawService = {
  readonly Spec: {
    readonly Name: string
    readonly EndpointSpec?: { readonly Ports?: readonly { readonly PublishedPort?: number }[] }
  }
}

/** Ports as the services of a Swarm publish them; what else listens on its nodes is not known here. */
export function createSwarmPublishing(manager: Manager, signal: AbortSignal): Publishing {
  return {
    async findProblem(_host, port) {
      const ids = splitLines(await manager.read(['service', 'ls', '--quiet'], { signal }))
      if (port === 0 || ids.length === 0) return undefined
      const { stdout } = await manager.run(inspectServices(ids), { signal })
      const other = (JSON.parse(stdout) as RawService[]).find(({ Spec }) =>
        Spec.EndpointSpec?.Ports?.some(({ PublishedPort }) => PublishedPort === port),
      )
      return other && `the service ${other.Spec.Name} publishes it`
    },
  }
}
