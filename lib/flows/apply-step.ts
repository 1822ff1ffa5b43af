import { LongshoreError } from '../domain/errors.ts'
import type { GenerationRef } from '../domain/generation.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { Action, Step } from '../domain/plan.ts'
import { withRelease } from '../domain/record-rules.ts'
import { checkTasks } from './check-tasks.ts'
import type { Session } from './session.ts'
import { soak } from './soak.ts'

type ApplyAction = (session: Session, step: Step) => Promise<void>

const ACTIONS: Readonly<Record<Action, ApplyAction>> = {
  deliver,
  verify,
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
  const { generations, transport, reporter } = session.context
  const manifest = await readManifest(session, generationOf(step))
  const node = step.node!
  let done = 0
  let saved = 0
  const tell = () => {
    const [task, whole] = [`deliver ${node}`, `deliver ${step.target}`]
    reporter.progress({ task, whole, done: done + saved, saved, total: step.bytes, unit: 'bytes' })
  }
  tell()
  await transport.deliver(node, generations.locate(manifest.generation), manifest, {
    signal: session.signal,
    ...(step.route && { route: step.route }),
    onBytes(bytes) {
      done += bytes
      tell()
    },
    onSaved(bytes) {
      saved += bytes
      tell()
    },
  })
}

/** Makes sure that what a node holds is whole: a damaged copy is delivered again. */
async function verify(session: Session, step: Step): Promise<void> {
  const { transport, reporter } = session.context
  const manifest = await readManifest(session, generationOf(step))
  try {
    await transport.verify(step.node!, manifest, session.signal)
  } catch (error) {
    if (!(error instanceof LongshoreError) || error.kind !== 'corrupt') throw error
    reporter.note(`${error.message}; it is delivered again`)
    await deliver(session, step)
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
