import type { Lab } from '../lab/lab.ts'

/** When a task that runs was made and when it became ready, in milliseconds since the epoch. */
export type TaskTime = { readonly createdAt: number; readonly readyAt: number }

type RawTask = {
  readonly CreatedAt: string
  readonly DesiredState: string
  readonly Status: { readonly State: string; readonly Timestamp: string }
}

/** The times of a service's running tasks, by the clock that the nodes of a lab share with this machine. */
export async function readTaskTimes({ nodes, docker }: Lab, service: string): Promise<TaskTime[]> {
  const manager = nodes[0]!.name
  const ids = (await docker(manager, 'service', 'ps', '--quiet', '--no-trunc', service)).split('\n')
  const tasks = JSON.parse(await docker(manager, 'inspect', '--type', 'task', ...ids)) as RawTask[]
  return tasks
    .filter(({ DesiredState, Status }) => DesiredState === 'running' && Status.State === 'running')
    .map(({ CreatedAt, Status }) => ({
      createdAt: Date.parse(CreatedAt),
      readyAt: Date.parse(Status.Timestamp),
    }))
}
