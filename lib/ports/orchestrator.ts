import type { Content } from '../domain/made-service.ts'
import type { ServiceSpec, ServiceState, Task } from '../domain/service.ts'

export type ChangeOptions = {
  readonly signal: AbortSignal
  /** How long all tasks may take to become ready before the former spec is put back, in milliseconds. */
  readonly deadlineMs: number
  /**
   * What the service shall be made of, rendered before for a spec equal to this one; what the port `Stack` renders now
   * where it is left out. An engine that makes services of their specs alone needs none.
   */
  readonly content?: Content
}

/** Runs services on nodes. */
export interface Orchestrator {
  /** Every service of the fleet with its tasks, each task asked on its own socket what it serves. */
  observe(signal: AbortSignal): Promise<ServiceState[]>
  /**
   * Makes a service be as `spec` says: new tasks start beside the old ones, an old one drains once a new one is ready;
   * with the order `stop-first` no new task starts before one that it replaces has ended.
   * Changes nothing when it already is, by spec and content. Resolves when every task of the spec is ready and no other is left. When the
   * deadline passes or a task fails, the former spec is put back and `remote` is raised with the task's own words.
   */
  change(spec: ServiceSpec, options: ChangeOptions): Promise<void>
  /** Stops a service, draining its tasks; succeeds when there is none. */
  remove(service: string, signal: AbortSignal): Promise<void>
  /** The JSON that one task answers to GET `path` on its own socket. Raises `remote` for any status but 200. */
  ask(task: Task, path: string, signal: AbortSignal): Promise<unknown>
  /** Stops everything that the engine itself keeps running for this profile, where it does (engine `local`). */
  shutDown(signal: AbortSignal): Promise<void>
}
