import type { DeclaredModel } from '../config/models.ts'
import { LongshoreError } from '../domain/errors.ts'
import { extractionSpecs } from '../domain/plan-services.ts'
import type { ServiceSpec, Task } from '../domain/service.ts'
import { createBlueprint } from './blueprint.ts'
import type { Context } from './context.ts'
import { findModelOf } from './declared-models.ts'
import { runDevice, servingDevice } from './run-device.ts'

/** The tasks of an extraction service that a run may ask. */
export type RunningExtraction = { readonly name: string; readonly tasks: readonly Task[] }

/**
 * The extraction service of a model in a Swarm, started where it does not run; one that runs is taken as it is, whoever started it.
 * No lock is needed for what nothing depends on yet. Raises `remote` in the words of a task that does not become ready, `usage`.
 */
export async function startExtraction(
  context: Context,
  declared: DeclaredModel,
  signal: AbortSignal,
): Promise<RunningExtraction> {
  const spec = await planExtraction(context, declared)
  const running = await findReady(context, spec, signal)
  if (running.tasks.length > 0) return running
  const { orchestrator, reporter, profile } = context
  reporter.note(`starting ${spec.name} with ${spec.replicas} replicas for as long as this command needs it`)
  await orchestrator.change(spec, { signal, deadlineMs: 1000 * profile.update.deadlineSeconds })
  const started = await findReady(context, spec, signal)
  if (started.tasks.length > 0) return started
  throw new LongshoreError('remote', `${spec.name} has no task that is ready`, {
    hint: 'status.mjs tells why',
  })
}

/** As it serves queries; on another device than those it is a service of another name. */
async function planExtraction(context: Context, declared: DeclaredModel): Promise<ServiceSpec> {
  const { profile } = context
  const { model, extraction } = declared
  const nodes = profile.nodes.map(({ name }) => name)
  const [spec] = extractionSpecs(createBlueprint(profile), nodes, [model.fingerprint])
  if (!spec) throw new LongshoreError('usage', `${model.name}: is embedded by a server, not by a service`)
  const device = await runDevice(context, declared, 'auto')
  const usual = findModelOf(profile, model)?.extraction ?? extraction
  if (device === servingDevice(profile.engine, usual)) return spec
  const { isOnGpu: _usual, ...rest } = spec
  const own = {
    ...rest,
    name: `${spec.name}_${device}`,
    settings: { ...spec.settings, DEVICE: extraction.device },
  }
  return device === 'gpu' ? await onGpu(context, own) : own
}

/** No more tasks than there are GPUs, as the rest would wait for ever; a Swarm that joins a node to its network ends those on GPUs there. */
async function onGpu({ workplace, signal }: Context, spec: ServiceSpec): Promise<ServiceSpec> {
  const gpus = (await workplace?.countGpus(signal)) ?? 0
  return { ...spec, replicas: Math.min(spec.replicas, Math.max(1, gpus)), isOnGpu: true, isApart: true }
}

async function findReady(
  { orchestrator }: Context,
  { name }: ServiceSpec,
  signal: AbortSignal,
): Promise<RunningExtraction> {
  const service = (await orchestrator.observe(signal)).find(({ spec }) => spec.name === name)
  return { name, tasks: service?.tasks.filter(({ state }) => state === 'ready') ?? [] }
}
