import type { Strategy } from '../domain/plan-services.ts'
import type { Problem } from './swarm-schema.ts'

type Declared = {
  readonly nodes: readonly unknown[]
  readonly index: { readonly replicas: number }
  readonly update: { readonly strategy: Strategy }
}

/** What `replica-groups` needs beyond the form: two groups of replicas, and of nodes. */
export function findStrategyProblems({ nodes, index, update }: Declared): Problem[] {
  if (update.strategy !== 'replica-groups') return []
  const expected = 'with update.strategy replica-groups, expected at least 2'
  return [
    ...(index.replicas < 2
      ? [
          {
            path: ['index', 'replicas'],
            message: `${expected}, half of which move first; found ${index.replicas}`,
          },
        ]
      : []),
    ...(nodes.length < 2
      ? [
          {
            path: ['nodes'],
            message: `${expected}, so that none holds two generations; found ${nodes.length}`,
          },
        ]
      : []),
  ]
}
