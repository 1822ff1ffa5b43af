import { LongshoreError, messageOf } from '../domain/errors.ts'
import { assemblePlan, describePlan, type Step } from '../domain/plan.ts'
import type { ImageSource, ImageStore } from '../ports/image-store.ts'
import type { RemoteShell } from '../ports/remote-shell.ts'
import type { Answer, Context } from './context.ts'
import { settleAll } from './settle-all.ts'

/** What the flow needs; without a shell there is no node to bring an image to. */
export type ImageContext = Pick<Context, 'reporter' | 'signal' | 'dryRun' | 'confirm'> & {
  readonly profile: { readonly nodes: readonly { readonly name: string }[] }
  readonly images: ImageStore
  readonly shell?: RemoteShell | undefined
}

export type ImageOptions = {
  readonly source: ImageSource
  /** Name in a registry, without a tag: nodes get the image from there, and nothing is brought to them. */
  readonly push?: string | undefined
}

type NodeImage = {
  readonly name: string
  readonly state: 'held' | 'delivered' | 'failed'
  readonly problem?: string
}

/** Archives travel whole, so few at a time fill the line. */
const CONCURRENCY = 4

/**
 * Builds the image of the services, unless it is there, and brings it to every node that lacks it, or to a registry.
 * Raises `usage` without an engine or for a source that is not there, `remote`, and `partial` naming the nodes that did
 * not receive it.
 */
export async function image(context: ImageContext, { source, push }: ImageOptions): Promise<Answer> {
  const { images, signal } = context
  const name = await images.identify(source)
  const isBuilt = await images.has(name, signal)
  const asked = push === undefined ? await askNodes(context, name) : []
  const plan = assemblePlan([asked.flatMap(({ isHeld, node }) => (isHeld ? [] : [deliverTo(name, node)]))])
  const base = { image: name, plan: describePlan(plan) }
  if (context.dryRun) {
    return {
      outcome: 'done',
      plan,
      text: `a dry run: ${name} ${isBuilt ? 'is' : 'would be'} built`,
      json: base,
    }
  }
  if (plan.steps.length > 0) {
    context.reporter.plan(plan)
    await context.confirm(plan)
  }
  if (!isBuilt) await images.build(name, source, signal)
  if (push !== undefined) return await pushImage(context, name, push)
  const delivered = await deliverImage(context, name, plan.steps)
  const held = asked
    .filter(({ isHeld }) => isHeld)
    .map(({ node }): NodeImage => ({ name: node, state: 'held' }))
  const outcome = isBuilt && plan.steps.length === 0 ? 'nothing-to-do' : 'done'
  return answer([...held, ...delivered], { outcome, base })
}

async function pushImage({ images, signal }: ImageContext, name: string, registry: string): Promise<Answer> {
  const pushed = `${registry}:${name.split(':')[1]}`
  await images.push(name, pushed, signal)
  return { outcome: 'done', text: `${pushed} is in its registry`, json: { image: pushed, nodes: [] } }
}

/** Whether each node has an image of this name. A node that cannot be reached raises. */
async function askNodes({ shell, profile, signal }: ImageContext, name: string) {
  if (!shell) return []
  return await Promise.all(
    profile.nodes.map(async ({ name: node }) => {
      const { code, stdout, stderr } = await shell.run(node, ['docker', 'image', 'ls', '--quiet', name], {
        signal,
      })
      if (code !== 0) throw new LongshoreError('remote', `${node}: docker image ls failed: ${stderr.trim()}`)
      return { node, isHeld: stdout.trim() !== '' }
    }),
  )
}

function deliverTo(name: string, node: string): Omit<Step, 'batch'> {
  return { action: 'deliver', target: name, node, cause: 'the node does not have the image' }
}

async function deliverImage(
  context: ImageContext,
  name: string,
  steps: readonly Step[],
): Promise<NodeImage[]> {
  const settled = await settleAll(steps, CONCURRENCY, (step) => deliverStep(context, name, step))
  context.signal.throwIfAborted()
  return settled.map(({ item, result }): NodeImage => {
    const node = item.node ?? ''
    if (result.status === 'fulfilled') return { name: node, state: 'delivered' }
    return { name: node, state: 'failed', problem: messageOf(result.reason) }
  })
}

async function deliverStep(
  { images, shell, reporter, signal }: ImageContext,
  name: string,
  step: Step,
): Promise<void> {
  reporter.step({ step, state: 'started' })
  try {
    const stdin = images.read(name, signal)
    const loaded = await shell?.run(step.node ?? '', ['docker', 'load', '--quiet'], { stdin, signal })
    if (loaded?.code !== 0) throw new LongshoreError('remote', `docker load failed: ${loaded?.stderr.trim()}`)
    reporter.step({ step, state: 'done' })
  } catch (error) {
    reporter.step({ step, state: 'failed', detail: messageOf(error) })
    throw error
  }
}

type Base = { readonly image: string } & Readonly<Record<string, unknown>>

function answer(
  nodes: readonly NodeImage[],
  { outcome, base }: { outcome: Answer['outcome']; base: Base },
): Answer {
  const json = { ...base, nodes }
  const failed = nodes.filter(({ state }) => state === 'failed')
  if (failed.length > 0) {
    const problems = failed.map(({ name, problem }) => `${name}: ${problem}`).join('; ')
    throw new LongshoreError('partial', `${base.image} did not reach ${failed.length} nodes: ${problems}`, {
      hint: 'run the same command again once they can be reached',
      answer: json,
    })
  }
  return {
    outcome,
    text: nodes.length > 0 ? `${base.image} is on ${nodes.length} nodes` : `${base.image} is built`,
    json,
  }
}
