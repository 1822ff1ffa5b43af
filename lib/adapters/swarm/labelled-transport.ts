import type { GenerationRef } from '../../domain/generation.ts'
import type { HeldGeneration, NodeFacts, Transport } from '../../ports/transport.ts'
import type { NodeLabels } from './node-labels.ts'

/**
 * A transport that tells the scheduler what lies where: a node is marked once a generation lies there whole, and loses
 * the mark before anything is taken away. What is there but not marked counts as not held, so that it is delivered again,
 * which sends nothing and marks it.
 */
export function createLabelledTransport(transport: Transport, labels: NodeLabels): Transport {
  return {
    async inspect(node, signal) {
      const facts = await transport.inspect(node, signal)
      return facts.reachable ? await withoutUnmarked(facts, labels, signal) : facts
    },
    async deliver(node, directory, manifest, options) {
      const { generation: name, digest } = manifest
      const bytes = await transport.deliver(node, directory, manifest, options)
      await labels.mark(node, { name, digest }, options.signal)
      return bytes
    },
    async verify(node, manifest, signal) {
      try {
        await transport.verify(node, manifest, signal)
      } catch (error) {
        signal.throwIfAborted()
        await labels.unmark(node, manifest.generation, signal)
        throw error
      }
    },
    async remove(node, generation, signal) {
      await labels.unmark(node, generation, signal)
      await transport.remove(node, generation, signal)
    },
    close: () => transport.close(),
  }
}

async function withoutUnmarked(
  facts: NodeFacts,
  labels: NodeLabels,
  signal: AbortSignal,
): Promise<NodeFacts> {
  const readable = facts.generations.filter((held) => held.digest !== null) as GenerationRef[]
  const marked: readonly HeldGeneration[] = await labels.filterMarked(facts.name, readable, signal)
  const generations = facts.generations.filter((held) => held.digest === null || marked.includes(held))
  return { ...facts, generations }
}
