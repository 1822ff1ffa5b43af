import type { GenerationRef } from '../../domain/generation.ts'
import type { NodeFacts, Transport } from '../../ports/transport.ts'
import type { NodeLabels } from './node-labels.ts'

/**
 * A transport that tells the scheduler what lies where: a node is marked once a generation lies there whole, and loses
 * the mark before anything is taken away, and where a delivery fails, as a damaged copy may still be there. To look for
 * damage changes no mark: the scheduler would take running tasks away at once. What is there but not marked counts as
 * not held, so that it is delivered again, which sends nothing and marks it.
 */
export function createLabelledTransport(transport: Transport, labels: NodeLabels): Transport {
  return {
    expect: (nodes) => transport.expect?.(nodes),
    async inspect(node, signal) {
      const marks = labels.readMarks(node, signal)
      // Told below, unless the node says nothing: then it does not matter what it is marked with.
      marks.catch(() => undefined)
      const facts = await transport.inspect(node, signal)
      return facts.reachable ? withoutUnmarked(facts, await marks) : facts
    },
    async deliver(node, directory, manifest, options) {
      const { generation: name, digest } = manifest
      const bytes = await transport.deliver(node, directory, manifest, options).catch(async (error) => {
        options.signal.throwIfAborted()
        await labels.unmark(node, name, options.signal)
        throw error
      })
      await labels.mark(node, { name, digest }, options.signal)
      return bytes
    },
    verify: (...args) => transport.verify(...args),
    async remove(node, generation, signal) {
      await labels.unmark(node, generation, signal)
      await transport.remove(node, generation, signal)
    },
    close: () => transport.close(),
  }
}

function withoutUnmarked(facts: NodeFacts, isMarked: (generation: GenerationRef) => boolean): NodeFacts {
  const generations = facts.generations.filter(
    ({ name, digest }) => digest === null || isMarked({ name, digest }),
  )
  return { ...facts, generations }
}
