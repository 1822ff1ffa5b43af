import type { Json } from '../domain/canonical-json.ts'
import type { Content, MadeService } from '../domain/made-service.ts'
import type { ServiceSpec } from '../domain/service.ts'
import type { ChangeOptions } from './orchestrator.ts'

/** The services of a fleet by their content: everything that their engine makes them of. */
export interface Stack {
  /** What a change to each of these specs would make. Changes nothing. Raises `usage` for a node that is not there, `remote`. */
  render(specs: readonly ServiceSpec[], options: RenderOptions): Promise<MadeService[]>
  /**
   * What runs, with what was changed past Longshore as far as the engine tells it. A service that does not say what it
   * was made of counts as made by its spec now. Raises `remote`.
   */
  observe(options: RenderOptions): Promise<MadeService[]>
  /** All services in one document, as the tools of the engine read it. */
  describe(services: readonly MadeService[]): Content
  /** The services of such a document. Raises `corrupt` where it is none. */
  parse(document: Json): MadeService[]
}

export type RenderOptions = Pick<ChangeOptions, 'signal' | 'deadlineMs'>
