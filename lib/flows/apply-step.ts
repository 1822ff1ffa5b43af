import { LongshoreError } from '../domain/errors.ts'
import type { GenerationRef } from '../domain/generation.ts'
import type { Manifest } from '../domain/manifest.ts'
import { kindOf, LEAST_MEASURED_BYTES } from '../domain/measured-rates.ts'
import type { Action, Step } from '../domain/plan.ts'
import { withRelease } from '../domain/record-rules.ts'
import { checkTasks } from './check-tasks.ts'
import type { Session } from './session.ts'
import { soak } from './soak.ts'

type ApplyAction = (session: Session, step: Step) => Promise<void>

const ACTIONS: Readonly<Record<Action, ApplyAction>> = {
  deliver,
  verify,
  mend,
  start: change,
  load: change,
  check: (session, step) => checkTasks(session, step.target, generationOf(step)),
  switch: change,
  soak: (session, step) => soak(session, generationOf(step)),
  commit,
  retire: change,
  remove: ({ context, signal }, { node, target }) => context.transport.remove(node!, target, signal),
  stop: ({ context, signal }, { target }) => context.orchestrator.remove(target, signal),
  change,
}

/** Does one step of a plan. Raises whatever its port raises. */
export async function applyStep(session: Session, step: Step): Promise<void> {
  await ACTIONS[step.action](session, step)
}

async function deliver(session: Session, step: Step): Promise<void> {
  const { generations, transport } = session.context
  const manifest = await readManifest(session, generationOf(step))
  const { options, countDone } = watch(session, step)
  const startedAt = session.context.now()
  await transport.deliver(step.node!, generations.locate(manifest.generation), manifest, {
    ...options,
    ...(step.route && { route: step.route }),
  })
  await noteRate(session, step, { bytes: countDone(), ms: session.context.now() - startedAt })
}

/** For the estimate of the next plan. */
async function noteRate(
  { context: { rates, now } }: Session,
  { node, route }: Step,
  { bytes, ms }: { readonly bytes: number; readonly ms: number },
): Promise<void> {
  if (!route || ms <= 0 || bytes < LEAST_MEASURED_BYTES) return
  const at = new Date(now()).toISOString()
  await rates.note(node!, kindOf(route), { bytesPerSecond: (1000 * bytes) / ms, at })
}

/** Makes a copy whole; the manifest comes from a node where this machine does not have it. */
async function mend(session: Session, step: Step): Promise<void> {
  const { generations, mender } = session.context
  const { peers = [], isHere = false, target } = step
  const manifest = isHere
    ? await readManifest(session, generationOf(step))
    : await readFromPeers(session, peers, generationOf(step))
  await mender.mend(step.node!, manifest, {
    ...watch(session, step).options,
    peers,
    ...(isHere && { directory: generations.locate(target) }),
  })
}

async function readFromPeers(
  { context, signal }: Session,
  peers: readonly string[],
  { name, digest }: GenerationRef,
): Promise<Manifest> {
  const problems: string[] = []
  for (const peer of peers) {
    try {
      const manifest = await context.mender.readManifest(peer, name, signal)
      if (manifest.digest === digest) return manifest
      problems.push(`${peer} holds another one`)
    } catch (error) {
      if (!(error instanceof LongshoreError) || signal.aborted) throw error
      problems.push(error.message)
    }
  }
  throw new LongshoreError('not-found', `nobody has ${name}: ${problems.join('; ') || 'no node holds it'}`)
}

/** What comes to a node, who hears of it, and the bytes that are there so far. */
function watch({ context: { reporter }, signal }: Session, { action, node, target, bytes, clusters }: Step) {
  let done = 0
  let saved = 0
  const tell = () => {
    const [task, whole] = [`${action} ${node}`, `${action} ${target}`]
    reporter.progress({ task, whole, done: done + saved, saved, total: bytes, unit: 'bytes' })
  }
  tell()
  const options = {
    signal,
    ...(clusters && { clusters }),
    onBytes(arrived: number) {
      done += arrived
      tell()
    },
    onSaved(made: number) {
      saved += made
      tell()
    },
  }
  return { options, countDone: () => done + saved }
}

/** Makes sure that what a node holds is whole: a damaged copy is delivered again. */
async function verify(session: Session, step: Step): Promise<void> {
  const { transport, reporter } = session.context
  const manifest = await readManifest(session, generationOf(step))
  try {
    await transport.verify(step.node!, manifest, session.signal, step.clusters)
  } catch (error) {
    if (!(error instanceof LongshoreError) || error.kind !== 'corrupt') throw error
    reporter.note(`${error.message}; it is delivered again`)
    await deliver(session, { ...step, action: 'deliver' })
  }
}

async function change({ context, signal }: Session, step: Step): Promise<void> {
  const deadlineMs = context.profile.update.deadlineSeconds * 1000
  const { spec, content } = step
  await context.orchestrator.change(spec!, { signal, deadlineMs, ...(content && { content }) })
}

async function commit({ context, changeRecord }: Session): Promise<void> {
  const at = new Date(context.now()).toISOString()
  await changeRecord((record) => withRelease(record, record.run!, at, context.owner))
}

async function readManifest({ context }: Session, generation: GenerationRef): Promise<Manifest> {
  const manifest = await context.generations.read(generation.name)
  if (manifest.digest === generation.digest) return manifest
  throw new LongshoreError('corrupt', `${generation.name} was replaced by another one while it was delivered`)
}

function generationOf(step: Step): GenerationRef {
  if (!step.generation) throw new Error(`step ${step.action} ${step.target} names no generation`)
  return step.generation
}
