import type { Profile } from '../config/schema.ts'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import { modelImageName } from '../domain/model-image.ts'
import { assemblePlan, describePlan, type Step } from '../domain/plan.ts'
import type { ImageSource, ImageStore, ModelSource } from '../ports/image-store.ts'
import type { RemoteShell } from '../ports/remote-shell.ts'
import type { Answer, Context } from './context.ts'
import { listOnnxModels } from './declared-models.ts'
import { settleAll } from './settle-all.ts'

/** What the flow needs; without a shell there is no node to bring an image to. */
export type ImageContext = Pick<Context, 'reporter' | 'signal' | 'dryRun' | 'confirm'> & {
  readonly profile: Pick<Profile, 'model' | 'extraction' | 'models'> & {
    readonly nodes: readonly { readonly name: string }[]
  }
  readonly images: ImageStore
  readonly shell?: RemoteShell | undefined
}

export type ImageOptions = {
  readonly source: ImageSource
  /** Name in a registry, without a tag: nodes get the image from there, and nothing is brought to them. */
  readonly push?: string | undefined
}

/** An image to build, and what of; `isBuilt` where it is there. */
type Build = {
  readonly name: string
  readonly source: ImageSource | ModelSource
  readonly isBuilt: boolean
}

type NodeImage = {
  readonly name: string
  readonly image: string
  readonly state: 'held' | 'delivered' | 'failed'
  readonly problem?: string
}

/** Archives travel whole, so few at a time fill the line. */
const CONCURRENCY = 4

/**
 * Builds the image of the services, and one with each ONNX model of the profile in it, unless they are there, and brings them to
 * every node that lacks them, or to a registry. Raises `usage` without an engine or for a source that is not there,
 * `remote`, and `partial` naming the nodes that did not receive them.
 */
export async function image(context: ImageContext, { source, push }: ImageOptions): Promise<Answer> {
  const { images, signal } = context
  const builds = await listBuilds(context, source)
  const names = builds.map(({ name }) => name)
  const asked = push === undefined ? await askNodes(context, names) : []
  const lacking = asked.filter(({ isHeld }) => !isHeld)
  const plan = assemblePlan([lacking.map(({ name, node }) => deliverTo(name, node))])
  const [name = '', ...models] = names
  const base = { image: name, ...(models.length > 0 && { models }), plan: describePlan(plan) }
  if (context.dryRun) {
    const tell = ({ name, isBuilt }: Build) => `${name} ${isBuilt ? 'is' : 'would be'} built`
    return { outcome: 'done', plan, text: `a dry run: ${builds.map(tell).join(', ')}`, json: base }
  }
  if (plan.steps.length > 0) {
    context.reporter.plan(plan)
    await context.confirm(plan)
  }
  // One after the other: images of models are built on the first one.
  for (const each of builds) if (!each.isBuilt) await images.build(each.name, each.source, signal)
  if (push !== undefined) return await pushImages(context, names, push)
  const delivered = await deliverImages(context, plan.steps)
  const held = asked
    .filter(({ isHeld }) => isHeld)
    .map(({ node, name }): NodeImage => ({ name: node, image: name, state: 'held' }))
  const isNews = plan.steps.length > 0 || builds.some(({ isBuilt }) => !isBuilt)
  return answer([...held, ...delivered], { outcome: isNews ? 'done' : 'nothing-to-do', base })
}

/** The image of the services first, then those of models. */
async function listBuilds({ images, profile, signal }: ImageContext, source: ImageSource): Promise<Build[]> {
  const image = await images.identify(source)
  const wanted = [
    { name: image, source },
    ...listOnnxModels(profile).map(({ model, root }) => ({
      name: modelImageName(image, model),
      source: { kind: 'model', image, root, model } as const,
    })),
  ]
  return await Promise.all(
    wanted.map(async (one) => ({ ...one, isBuilt: await images.has(one.name, signal) })),
  )
}

async function pushImages(
  { images, signal }: ImageContext,
  names: readonly string[],
  registry: string,
): Promise<Answer> {
  const pushed: string[] = []
  for (const name of names) {
    const as = `${registry}:${name.split(':')[1]}`
    await images.push(name, as, signal)
    pushed.push(as)
  }
  const [image = '', ...models] = pushed
  return {
    outcome: 'done',
    text: `${pushed.join(', ')} ${pushed.length > 1 ? 'are in their' : 'is in its'} registry`,
    json: { image, ...(models.length > 0 && { models }), nodes: [] },
  }
}

/** Whether each node has images of these names. A node that cannot be reached raises. */
async function askNodes({ shell, profile, signal }: ImageContext, names: readonly string[]) {
  if (!shell) return []
  const asking = profile.nodes.flatMap(({ name: node }) => names.map((name) => ({ node, name })))
  return await Promise.all(
    asking.map(async ({ node, name }) => {
      const { code, stdout, stderr } = await shell.run(node, ['docker', 'image', 'ls', '--quiet', name], {
        signal,
      })
      if (code !== 0) throw new LongshoreError('remote', `${node}: docker image ls failed: ${stderr.trim()}`)
      return { node, name, isHeld: stdout.trim() !== '' }
    }),
  )
}

function deliverTo(name: string, node: string): Omit<Step, 'batch'> {
  return { action: 'deliver', target: name, node, cause: 'the node does not have the image' }
}

async function deliverImages(context: ImageContext, steps: readonly Step[]): Promise<NodeImage[]> {
  const settled = await settleAll(steps, CONCURRENCY, (step) => deliverStep(context, step))
  context.signal.throwIfAborted()
  return settled.map(({ item, result }): NodeImage => {
    const about = { name: item.node ?? '', image: item.target }
    if (result.status === 'fulfilled') return { ...about, state: 'delivered' }
    return { ...about, state: 'failed', problem: messageOf(result.reason) }
  })
}

async function deliverStep({ images, shell, reporter, signal }: ImageContext, step: Step): Promise<void> {
  reporter.step({ step, state: 'started' })
  try {
    const stdin = images.read(step.target, signal)
    const loaded = await shell?.run(step.node ?? '', ['docker', 'load', '--quiet'], { stdin, signal })
    if (loaded?.code !== 0) throw new LongshoreError('remote', `docker load failed: ${loaded?.stderr.trim()}`)
    reporter.step({ step, state: 'done' })
  } catch (error) {
    reporter.step({ step, state: 'failed', detail: messageOf(error) })
    throw error
  }
}

type Base = { readonly image: string; readonly models?: readonly string[] } & Readonly<
  Record<string, unknown>
>

function answer(
  nodes: readonly NodeImage[],
  { outcome, base }: { outcome: Answer['outcome']; base: Base },
): Answer {
  const json = { ...base, nodes }
  const names = [base.image, ...(base.models ?? [])].join(', ')
  const failed = nodes.filter(({ state }) => state === 'failed')
  const reached = new Set(nodes.map(({ name }) => name)).size
  if (failed.length > 0) {
    const problems = failed.map(({ name, image, problem }) => `${name}: ${image}: ${problem}`).join('; ')
    const lost = new Set(failed.map(({ name }) => name)).size
    throw new LongshoreError('partial', `${names} did not reach ${lost} nodes: ${problems}`, {
      hint: 'run the same command again once they can be reached',
      answer: json,
    })
  }
  return {
    outcome,
    text: `${names} ${base.models ? 'are' : 'is'} ${reached > 0 ? `on ${reached} nodes` : 'built'}`,
    json,
  }
}
