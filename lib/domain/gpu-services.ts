import { type GpuService, splitPair } from './gpu-settings.ts'
import type { Making } from './swarm-making.ts'

/** What a service that runs in a Swarm says of GPUs, whoever made it what it is. */
export function describeGpuService({ name, actual }: Making): GpuService {
  const { TaskTemplate, UpdateConfig } = actual
  const asked = TaskTemplate.Resources?.Reservations?.GenericResources ?? []
  const specs = asked.flatMap((one) => one.NamedResourceSpec ?? one.DiscreteResourceSpec ?? [])
  const environment = Object.fromEntries((TaskTemplate.ContainerSpec?.Env ?? []).map(splitPair))
  return {
    name,
    // The engine leaves out a zero.
    resources: specs.map(({ Kind, Value = 0 }) => `${Kind}=${Value}`),
    hasDevices: false,
    order: UpdateConfig?.Order ?? 'stop-first',
    visibleDevices: environment.NVIDIA_VISIBLE_DEVICES,
    constraints: TaskTemplate.Placement?.Constraints ?? [],
  }
}
