import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ServiceSpec, TaskPhase } from '../../domain/service.ts'
import type { ProcessIdentity } from '../process/process-identity.ts'

/** What the agent is started with, as its one argument in JSON. */
export type AgentSettings = {
  /** Absolute path of the directory of what the engine keeps. */
  readonly state: string
  /** Absolute path of the script that runs a service; its one argument is the service's kind. */
  readonly entry: string
  /** How long a task may take to end after SIGTERM. */
  readonly graceMs: number
}

/** Answer to `GET /agent`. */
export type AgentFacts = { readonly process: ProcessIdentity; readonly entry: string }

/** A task as the agent sees it; `url` is the task's own socket, null until it listens. */
export type AgentTask = {
  readonly id: string
  readonly node: string
  readonly state: TaskPhase
  readonly problem?: string
  readonly url: string | null
}

/** Answer to `GET /services`: a list of these. */
export type AgentService = { readonly spec: ServiceSpec; readonly tasks: readonly AgentTask[] }

/** Body of `PUT /services/NAME`. */
export type ChangeRequest = { readonly spec: ServiceSpec; readonly deadlineMs: number }

/** Answer to `PUT` and `DELETE /services/NAME`: the number to ask `GET /changes/ID` for. */
export type ChangeTicket = { readonly id: number }

/** Answer to `GET /changes/ID`. */
export type ChangeState =
  | { readonly state: 'running' | 'done' }
  | { readonly state: 'failed'; readonly message: string; readonly hint?: string }

/** The error of a task, in its own words, or of the engine about it. */
export class TaskFailure extends Error {
  override readonly name = 'TaskFailure'
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

// sockaddr_un holds 108 bytes on Linux and 104 on macOS, see unix(7).
const MOST_SOCKET_BYTES = 100

/** The agent's socket: in the state directory, or, where that path is too long for a socket, in a temporary one. */
export function locateSocket(state: string): string {
  const path = join(resolve(state), 'agent.sock')
  if (Buffer.byteLength(path) <= MOST_SOCKET_BYTES) return path
  const hash = createHash('sha256').update(resolve(state)).digest('hex').slice(0, 16)
  return join(tmpdir(), `longshore-${process.getuid?.() ?? 0}-${hash}.sock`)
}

export function locateLogs(state: string): string {
  return join(state, 'logs')
}

export function locateEndpoints(state: string): string {
  return join(state, 'endpoints.json')
}
