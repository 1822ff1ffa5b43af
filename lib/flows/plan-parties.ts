import { shapeOf } from '../domain/fate/shapes.ts'
import { assemblePlan, type Plan, type Step } from '../domain/plan.ts'
import { countBytes, type PartyPackage } from './party-package.ts'

/** A step for each package, and for each component that names parties. */
export function planParties(opened: readonly PartyPackage[]): Plan {
  return assemblePlan(
    opened.map((opening) => {
      const {
        party,
        fresh,
        path,
        rewriting: { meta, mode },
      } = opening
      const name = `${fresh.role}#${fresh.id}`
      const components = Object.entries(meta.modules).filter(([, module]) => shapeOf(module, mode))
      const bytes = countBytes(opening)
      return [
        { action: 'change', target: path, bytes, cause: `${party.role} ${party.id} becomes ${fresh.id}` },
        {
          action: 'change',
          target: `${name} pipeline`,
          cause: 'tells parties, initiator, model and version',
        },
        ...components.map(
          ([component, module]): Omit<Step, 'batch'> => ({
            action: 'change',
            target: `${name} ${component}`,
            cause: `${module} names parties in its parameters`,
          }),
        ),
      ]
    }),
  )
}
