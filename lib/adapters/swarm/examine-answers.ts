import { examineClocks } from '../../domain/examine-clocks.ts'
import { examineDirectories } from '../../domain/examine-directories.ts'
import { examineEngines } from '../../domain/examine-engines.ts'
import { examineGpus, examineNodeUpdates } from '../../domain/examine-gpu.ts'
import { readGpuReports } from '../../domain/examine-gpu-files.ts'
import { examineImages } from '../../domain/examine-images.ts'
import { examineMarks } from '../../domain/examine-marks.ts'
import { examineMembers } from '../../domain/examine-members.ts'
import { examineHostPort, examinePlacement } from '../../domain/examine-placement.ts'
import { examinePorts } from '../../domain/examine-ports.ts'
import { examineManagers, examineQuorum } from '../../domain/examine-quorum.ts'
import { examineHealthChecks, examineMakings } from '../../domain/examine-services.ts'
import { examineSshd, type SshdNeeds } from '../../domain/examine-sshd.ts'
import { examineTiming } from '../../domain/examine-timing.ts'
import type { Finding } from '../../domain/finding.ts'
import { describeGpuService } from '../../domain/gpu-services.ts'
import { GATEWAY } from '../../domain/service.ts'
import { findMeshed } from '../../domain/swarm-making.ts'
import { swarmServiceName } from '../../domain/swarm-names.ts'
import type { SwarmSettings } from '../../domain/swarm-stack.ts'
import type { Machine } from './read-machine.ts'
import type { SwarmFacts } from './read-swarm.ts'

/** What a profile asks of machines and managers. */
export type SwarmNeeds = {
  readonly managers: readonly string[]
  readonly stack: SwarmSettings
  /** The image of the services, and those of models. */
  readonly images: readonly string[]
  readonly ssh: SshdNeeds
  readonly gateway: { readonly port: number; readonly replicas: number }
  readonly index: { readonly replicas: number }
  readonly update: {
    readonly deadlineSeconds: number
    readonly leaseSeconds: number
    readonly unreachableNodes: 'refuse' | 'continue'
  }
}

/** Findings on what machines say by themselves. */
export function examineMachines(machines: readonly Machine[], needs: SwarmNeeds): Finding[] {
  const { stack, images, ssh, update, managers } = needs
  const engines = machines.map(({ engine }) => engine)
  const gpus = readGpuReports(machines.map((machine) => machine.gpus))
  return [
    ...examineClocks(
      machines.map(({ clock }) => clock),
      { failMs: 1000 * update.leaseSeconds },
    ),
    ...examineEngines(engines),
    ...examineManagers(engines, managers),
    ...images.flatMap((image, at) =>
      examineImages(
        machines.map((machine) => machine.images[at]!),
        image,
      ),
    ),
    ...examineDirectories(
      machines.map(({ directory }) => directory),
      stack.dataDirectory,
    ),
    ...gpus.findings,
    ...examineGpus(gpus.nodes, []),
    ...examineSshd(
      machines.flatMap(({ sshd }) => sshd ?? []),
      ssh,
    ),
  ]
}

/** Findings on what managers say, and on what machines say otherwise. */
export function examineSwarm(
  { members, services, own, starts }: SwarmFacts,
  machines: readonly Machine[],
  { stack, gateway, index, update }: SwarmNeeds,
): Finding[] {
  const engines = machines.map(({ engine }) => engine)
  const nodes = engines.map(({ name }) => name)
  const { fleet, publish } = stack
  const { deadlineSeconds, unreachableNodes } = update
  const onGpu = own.map(describeGpuService)
  const replicas = Math.max(gateway.replicas, index.replicas)
  return [
    ...examineQuorum(members),
    ...examineMembers({ engines, members, nodes, unreachableNodes }),
    ...examineMarks(
      fleet,
      members,
      machines.map(({ holding }) => holding),
    ),
    ...examineHostPort({ replicas: gateway.replicas, publish, nodes }, members),
    ...examinePlacement(own, members),
    ...examinePorts(
      machines.map(({ port }) => port),
      {
        port: gateway.port,
        gateway: swarmServiceName(fleet, GATEWAY),
        meshed: findMeshed(services, gateway.port),
      },
    ),
    ...examineGpus([], onGpu),
    ...examineNodeUpdates(onGpu),
    ...examineHealthChecks(own),
    ...examineMakings(own),
    ...examineTiming({ ...stack, deadlineSeconds, replicas }, starts),
  ]
}
