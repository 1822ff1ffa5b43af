import type { Json } from './canonical-json.ts'
import { type Difference, findDifferences, renderDifference } from './content-difference.ts'
import { parseMs, toMs } from './swarm-health-check.ts'
import type { RawPolicy, RawSpec } from './swarm-making.ts'
import { describeRunning } from './swarm-running.ts'
import type { StackService } from './swarm-stack.ts'

/** What somebody changed of a service since Longshore made it, as `healthcheck.retries 3 -> 9`. */
export function findHandEdits(made: StackService, spec: RawSpec): string[] {
  const { healthcheck, ...running } = describeRunning(made, spec)
  const { healthcheck: wanted, ...others } = made
  const differences = [
    ...findCheckEdits(wanted, healthcheck),
    ...findDifferences(others, running),
    ...findDifferences(describeMade(made), describeSpec(spec)),
  ]
  return differences.map((difference) => `${difference.path} ${renderDifference(difference)}`)
}

/** Who takes a test away takes with it how often it is made. */
function findCheckEdits(made: Json | undefined, found: Json | undefined): Difference[] {
  const [from, to] = [made, found].map(joinTest)
  const differences = findDifferences(from, to, 'healthcheck')
  const other = differences.find(({ path }) => path === 'healthcheck.test')
  return other ? [other] : differences
}

function joinTest(check: Json | undefined): Json {
  const { test = [], ...rest } = (check ?? {}) as { readonly [key: string]: Json }
  return { ...rest, test: (test as string[]).join(' ') }
}

type Members = { readonly [key: string]: Json | undefined }

/** What describeRunning leaves as it was made, times in milliseconds. */
function describeMade(made: StackService): Members {
  const deploy = made.deploy as Members
  return {
    ...describeProgram(made.entrypoint, made.command),
    read_only: made.read_only ?? false,
    cap_drop: made.cap_drop ?? [],
    volumes: ((made.volumes ?? []) as Members[])
      .map(({ type, source = '', target, read_only = false }) => `${type} ${source} ${target} ${read_only}`)
      .sort(),
    ports: ((made.ports ?? []) as Members[])
      .map(({ published, target, protocol, mode }) => `${published}:${target}/${protocol} ${mode}`)
      .sort(),
    stop_grace_period: parseMs(made.stop_grace_period) ?? null,
    deploy: {
      endpoint_mode: deploy.endpoint_mode ?? null,
      update_config: describePolicy(deploy.update_config as Members),
      rollback_config: describePolicy(deploy.rollback_config as Members),
    },
  }
}

function describeSpec({ TaskTemplate, UpdateConfig, RollbackConfig, EndpointSpec }: RawSpec): Members {
  const { ContainerSpec: container } = TaskTemplate
  return {
    ...describeProgram(container?.Command, container?.Args),
    read_only: container?.ReadOnly ?? false,
    cap_drop: container?.CapabilityDrop ?? [],
    volumes: (container?.Mounts ?? [])
      .map(({ Type, Source = '', Target, ReadOnly = false }) => `${Type} ${Source} ${Target} ${ReadOnly}`)
      .sort(),
    ports: (EndpointSpec?.Ports ?? [])
      .map(
        ({ PublishedPort, TargetPort, Protocol, PublishMode }) =>
          `${PublishedPort}:${TargetPort}/${Protocol} ${PublishMode}`,
      )
      .sort(),
    stop_grace_period: toMs(container?.StopGracePeriod) ?? null,
    deploy: {
      endpoint_mode: EndpointSpec?.Mode ?? null,
      update_config: describeRawPolicy(UpdateConfig),
      rollback_config: describeRawPolicy(RollbackConfig),
    },
  }
}

function describeProgram(entrypoint: Json | readonly string[] | undefined, command: typeof entrypoint) {
  return { entrypoint: (entrypoint ?? []) as Json, command: (command ?? []) as Json }
}

function describePolicy(policy: Members = {}): Members {
  const { order = null, parallelism = null, failure_action = null, monitor } = policy
  return { order, parallelism, failure_action, monitor: parseMs(monitor) ?? null }
}

function describeRawPolicy(policy: RawPolicy = {}): Members {
  const { Order = null, Parallelism = null, FailureAction = null, Monitor } = policy
  return {
    order: Order,
    parallelism: Parallelism,
    failure_action: FailureAction,
    monitor: toMs(Monitor) ?? null,
  }
}
