import { messageOf } from '../../lib/domain/errors.ts'
import { HttpError } from '../http/http-error.ts'
import type { RoutedCluster } from './route-queries.ts'

/** How many of the clusters that should be asked have answered, and which have not. */
export type Coverage = {
  readonly asked: number
  readonly answered: number
  readonly complete: boolean
  readonly missing?: readonly number[]
}

/** The coverage of one query. */
export function measureCoverage(routes: readonly RoutedCluster[], missing: ReadonlySet<number>): Coverage {
  const lost = routes.map(({ cluster }) => cluster).filter((cluster) => missing.has(cluster))
  const answered = routes.length - lost.length
  if (lost.length === 0) return { asked: routes.length, answered, complete: true }
  return { asked: routes.length, answered, complete: false, missing: lost }
}

/** The error of queries that asked `asked` clusters in all. An answer from something else says more than one that did not come. */
export function explainMissing(
  failures: readonly Error[],
  { asked, missing }: { readonly asked: number; readonly missing: number },
): HttpError {
  const coverage: Coverage = { asked, answered: asked - missing, complete: false }
  const wrong = failures.find((failure) => failure instanceof HttpError)
  if (wrong) return new HttpError(wrong.status, wrong.code, wrong.message, { coverage })
  return new HttpError(503, 'incomplete', failures.map(messageOf).join('; '), { coverage })
}
