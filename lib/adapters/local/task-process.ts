import cluster, { type Worker } from 'node:cluster'
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

export type ProcessSettings = {
  /** Script that runs a service. */
  readonly entry: string
  readonly kind: string
  readonly env: Readonly<Record<string, string>>
  /** File that gets stdout and stderr of the process, after what it holds. */
  readonly log: string
}

/** A process and where in its log its own words begin, in bytes. */
export type StartedProcess = { readonly worker: Worker; readonly logStart: number }

/** Ports that a task has told: the one for clients, and one of its own that no other task shares. */
export type Ports = { readonly listening: number | undefined; readonly admin: number | undefined }

/**
 * Starts the process of a task. Tasks of one service that listen on the same port share the socket: the kernel hands
 * each connection to one of them, so that none is refused while one comes and another goes.
 */
export function startProcess({ entry, kind, env, log }: ProcessSettings): StartedProcess {
  mkdirSync(dirname(log), { recursive: true })
  const output = openSync(log, 'a', 0o600)
  try {
    cluster.schedulingPolicy = cluster.SCHED_NONE
    cluster.setupPrimary({
      exec: entry,
      args: [kind],
      execArgv: [],
      stdio: ['ignore', output, output, 'ipc'],
    })
    return { logStart: fstatSync(output).size, worker: cluster.fork(env) }
  } finally {
    closeSync(output)
  }
}

/** The ports in a message of a task, which are told one by one or together; undefined for any other message. */
export function readPorts(message: unknown): Ports | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const { listening, admin } = message as Record<string, unknown>
  const ports = { listening: asPort(listening), admin: asPort(admin) }
  return ports.listening === undefined && ports.admin === undefined ? undefined : ports
}

function asPort(value: unknown): number | undefined {
  return Number.isInteger(value) ? (value as number) : undefined
}
