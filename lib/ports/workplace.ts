import type { Task } from '../domain/service.ts'

/** A way to a task that ends on this machine. */
export type Tunnel = {
  /** Where the task answers: `http://127.0.0.1:PORT`. */
  readonly url: string
  close(): Promise<void>
}

/** What an engine whose nodes are machines of their own offers to services that run no longer than a command. */
export interface Workplace {
  /** How many GPUs its nodes give to services, whoever has them now. Raises `remote`. */
  countGpus(signal: AbortSignal): Promise<number>
  /** Makes a way to a task, whose port need not be published. Raises `remote` where it does not run. */
  open(task: Task, signal: AbortSignal): Promise<Tunnel>
}
