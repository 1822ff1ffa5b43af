import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { HeldCopy } from '../../domain/fleet.ts'
import type { GenerationRef } from '../../domain/generation.ts'
import { type Manifest, refOf } from '../../domain/manifest.ts'
import type { Mender } from '../../ports/mender.ts'
import type { DeliverOptions, Transport } from '../../ports/transport.ts'
import type { Mark, NodeLabels } from './node-labels.ts'

/**
 * A transport that tells the scheduler what lies where: a node is marked once a generation, or what it shall hold of it,
 * lies there whole, and loses the mark before anything is taken away, and where a delivery fails, as a damaged copy may
 * still be there. To look for damage changes no mark: the scheduler would take running tasks away at once. What is there
 * but not marked counts as not held, so that it is delivered again, which sends nothing and marks it.
 */
export function createLabelledTransport(
  transport: Transport & Mender,
  labels: NodeLabels,
): Transport & Mender {
  type Work = Pick<DeliverOptions, 'signal' | 'clusters'>
  const marking = async <T>(node: string, manifest: Manifest, options: Work, work: () => Promise<T>) => {
    const { signal, clusters } = options
    const done = await work().catch(async (error: unknown) => {
      signal.throwIfAborted()
      await unmarkDamaged({ transport, labels, node, manifest }, signal).catch((second: unknown) => {
        throw joinErrors(node, error, second)
      })
      throw error
    })
    await labels.mark(node, refOf(manifest), signal, clusters)
    return done
  }
  return {
    expect: (nodes) => transport.expect?.(nodes),
    async inspect(node, signal) {
      const marks = labels.readMarks(node, signal)
      // Told below, unless the node says nothing: then it does not matter what it is marked with.
      marks.catch(() => undefined)
      const facts = await transport.inspect(node, signal)
      if (!facts.reachable) return facts
      const readMark = await marks
      return { ...facts, generations: facts.generations.flatMap((held) => withoutUnmarked(held, readMark)) }
    },
    deliver: (node, directory, manifest, options) =>
      marking(node, manifest, options, () => transport.deliver(node, directory, manifest, options)),
    mend: (node, manifest, options) =>
      marking(node, manifest, options, () => transport.mend(node, manifest, options)),
    readManifest: (...args) => transport.readManifest(...args),
    verify: (...args) => transport.verify(...args),
    async remove(node, generation, signal) {
      await labels.unmark(node, generation, signal)
      await transport.remove(node, generation, signal)
    },
    close: () => transport.close(),
  }
}

type Failed = {
  readonly transport: Transport
  readonly labels: NodeLabels
  readonly node: string
  readonly manifest: Manifest
}

/** Shards that a node held before, and that are sound, keep their marks and tasks: others of it were on their way. */
async function unmarkDamaged(
  { transport, labels, node, manifest }: Failed,
  signal: AbortSignal,
): Promise<void> {
  const mark = (await labels.readMarks(node, signal))(refOf(manifest))
  const isSound =
    Array.isArray(mark) &&
    (await transport.verify(node, manifest, signal, mark).then(
      () => true,
      // What cannot be asked is not known to be damaged.
      (error: unknown) => error instanceof LongshoreError && error.kind === 'remote',
    ))
  if (!isSound) await labels.unmark(node, manifest.generation, signal)
}

/** The first error, and that the mark could not be taken away after it. */
function joinErrors(node: string, first: unknown, second: unknown): LongshoreError {
  const known = first instanceof LongshoreError ? first : undefined
  const words = `${messageOf(first)}; its mark on ${node} could not be taken away either: ${messageOf(second)}`
  return new LongshoreError(known?.kind ?? 'remote', words, {
    ...(known?.hint !== undefined && { hint: known.hint }),
    cause: new AggregateError([first, second], words),
  })
}

function withoutUnmarked(held: HeldCopy, readMark: (generation: GenerationRef) => Mark): HeldCopy[] {
  const { name, digest } = held
  if (digest === null) return [held]
  const mark = readMark({ name, digest })
  if (mark === null) return []
  if (mark === 'all') return [held]
  return [{ ...held, clusters: mark.filter((cluster) => held.clusters?.includes(cluster) ?? true) }]
}
