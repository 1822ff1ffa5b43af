import { swarmServiceName } from '../../domain/swarm-names.ts'
import type { SwarmSettings } from '../../domain/swarm-stack.ts'
import type { RemoteShell } from '../../ports/remote-shell.ts'
import type { Manager } from './docker-client.ts'
import type { Fence } from './fence.ts'
import { type FleetView, readNamed } from './read-fleet.ts'

/** What ending and watching may take beyond what the settings say, on nodes that have much to do. */
const SLACK_MS = 15_000

/** What every change of a service needs. */
export type Engine = {
  readonly shell: RemoteShell
  readonly manager: Manager
  readonly settings: SwarmSettings
  /** The fence of the lease that this process holds, 0 without one. Raises `locked` when it was lost. */
  readonly readFence: (signal: AbortSignal) => Promise<number>
}

/** The lock that a change is made under, as it is now. Raises `locked` when it was lost. */
export async function readFence({ readFence, settings }: Engine, signal: AbortSignal): Promise<Fence> {
  return { fleet: settings.fleet, number: await readFence(signal) }
}

/** How long tasks may take to end, and the Swarm to stop watching those in their place, in milliseconds. */
export function endingMs({ settings: { graceSeconds, monitorSeconds } }: Pick<Engine, 'settings'>): number {
  return 1000 * (graceSeconds + monitorSeconds) + SLACK_MS
}

/** One service of the fleet with all its tasks; without the service where there is none. */
export function readService(
  { manager, settings }: Engine,
  name: string,
  signal: AbortSignal,
): Promise<FleetView> {
  return readNamed(manager, [swarmServiceName(settings.fleet, name)], signal)
}
