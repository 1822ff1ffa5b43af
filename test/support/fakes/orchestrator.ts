import { setImmediate as turn } from 'node:timers/promises'
import { canonicalJson } from '../../../lib/domain/canonical-json.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import { type Content, isSameContent } from '../../../lib/domain/made-service.ts'
import type { ServiceSpec, ServiceState, Task } from '../../../lib/domain/service.ts'
import type { ChangeOptions, Orchestrator } from '../../../lib/ports/orchestrator.ts'

/** Services in memory: a changed service is ready a turn of the event loop later, unless it shall fail. */
export class FakeOrchestrator implements Orchestrator {
  readonly services = new Map<string, ServiceState>()
  /** What each service was made of. */
  readonly contents = new Map<string, Content>()
  /** What services are made of beyond their specs, by the profile as it is now. */
  extras: Content = {}
  /** Every call that changed something, in order: `change index_0`, `remove gateway`, `shutDown`. */
  readonly changes: string[] = []
  /** Why tasks of this spec never become ready, if so; the former spec then stays, as with the real ones. */
  failOn: (spec: ServiceSpec) => Error | undefined = () => undefined
  /** Why a task's answer to GET `path` is an error, if so. */
  failAsk: (task: Task, path: string) => Error | undefined = () => undefined
  /** The JSON that a task answers to GET `path`. */
  answer: (task: Task, path: string) => unknown = answerLikeAService
  /** Called before a change takes effect: a test stops the run here. */
  beforeChange: (spec: ServiceSpec) => void | Promise<void> = () => undefined
  private made = 0

  /** Puts a service in place without a change. */
  run(spec: ServiceSpec, content = this.render(spec)): void {
    this.contents.set(spec.name, content)
    this.services.set(spec.name, { spec, tasks: this.makeTasks(spec) })
  }

  /** What a service is made of by its spec. */
  render({ name: _name, ...spec }: ServiceSpec): Content {
    return { ...(spec as unknown as Content), ...this.extras }
  }

  /** Makes the tasks of a service say that they are not ready. */
  breakTasks(service: string, problem: string): void {
    const state = this.services.get(service)
    if (!state) throw new Error(`there is no service ${service}`)
    const tasks = state.tasks.map((task): Task => ({ ...task, state: 'failed', generations: [], problem }))
    this.services.set(service, { ...state, tasks })
  }

  async observe(signal: AbortSignal): Promise<ServiceState[]> {
    signal.throwIfAborted()
    return [...this.services.values()]
  }

  async change(spec: ServiceSpec, { signal, content = this.render(spec) }: ChangeOptions): Promise<void> {
    signal.throwIfAborted()
    const former = this.contents.get(spec.name)
    const isMade = former !== undefined && isSameContent(former, content)
    if (isMade && isAsSpecified(this.services.get(spec.name), spec)) return
    this.changes.push(`change ${spec.name}`)
    await this.beforeChange(spec)
    await turn()
    signal.throwIfAborted()
    const failure = this.failOn(spec)
    if (failure) throw failure
    this.run(spec, content)
  }

  async remove(service: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.services.delete(service)) this.changes.push(`remove ${service}`)
  }

  async ask(task: Task, path: string, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted()
    const failure = this.failAsk(task, path)
    if (failure) throw failure
    const isRunning = [...this.services.values()].some(({ tasks }) => tasks.some(({ id }) => id === task.id))
    if (!isRunning) throw new LongshoreError('remote', `${task.id} on ${task.node} does not answer`)
    return this.answer(task, path)
  }

  async shutDown(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.services.size > 0) this.changes.push('shutDown')
    this.services.clear()
  }

  private makeTasks(spec: ServiceSpec): Task[] {
    return Array.from({ length: spec.replicas }, (_, replica) => ({
      id: `${spec.name}.${++this.made}`,
      node: spec.nodes[replica % spec.nodes.length]!,
      state: 'ready',
      generations: spec.generations,
    }))
  }
}

function isAsSpecified(state: ServiceState | undefined, spec: ServiceSpec): boolean {
  return (
    state !== undefined &&
    canonicalJson(state.spec) === canonicalJson(spec) &&
    state.tasks.length === spec.replicas &&
    state.tasks.every((task) => task.state === 'ready')
  )
}

function answerLikeAService(task: Task, path: string): unknown {
  if (path === '/v1/status') return { task: task.id, node: task.node, generations: task.generations }
  const checked = /^\/v1\/check\/(\S+)$/.exec(path)?.[1]
  const generation = task.generations.find(({ name }) => name === checked)
  if (generation) {
    return { generation: generation.name, digest: generation.digest, queries: 10, recall: 1, passed: true }
  }
  throw new LongshoreError('remote', `${task.id} on ${task.node} answered 404 to ${path}`)
}
