import { ratesAt } from '../domain/delivery-rates.ts'
import { LongshoreError } from '../domain/errors.ts'
import type { Fleet } from '../domain/fleet.ts'
import type { GenerationRef } from '../domain/generation.ts'
import type { RoutePolicy } from '../domain/route.ts'
import type { FleetContext } from './context.ts'

/** What decides how generations travel to nodes now; undefined where nodes are directories of this machine. */
export async function chooseRoutePolicy(
  context: FleetContext,
  fleet: Fleet,
): Promise<RoutePolicy | undefined> {
  const { engine, delivery } = context.profile
  if (engine !== 'swarm') return undefined
  const bases = delivery.delta ? await findBases(context, fleet) : []
  const now = new Date(context.now())
  const rates = ratesAt(delivery.limits, 60 * now.getHours() + now.getMinutes())
  return { via: delivery.via, bases, rates, measured: await context.rates.read() }
}

/** The generations of this machine that nodes hold, too: by name here, as the nodes' digests decide. */
async function findBases({ generations }: FleetContext, fleet: Fleet): Promise<GenerationRef[]> {
  const held = new Set(fleet.nodes.flatMap((node) => node.generations.map(({ name }) => name)))
  const names = (await generations.list()).filter((name) => held.has(name))
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        return [{ name, digest: (await generations.read(name)).digest }]
      } catch (error) {
        if (error instanceof LongshoreError && ['not-found', 'corrupt'].includes(error.kind)) return []
        throw error
      }
    }),
  )
  return found.flat()
}
