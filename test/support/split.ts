import { createGenerationStore } from '../../lib/adapters/generations/store.ts'
import { createGenerationWriter } from '../../lib/adapters/generations/writer.ts'
import { readGoldenPairs } from '../../lib/adapters/inputs/golden-pairs.ts'
import { parseProfile } from '../../lib/config/load.ts'
import type { GateResult } from '../../lib/domain/quality.ts'
import { createRandom } from '../../lib/domain/random.ts'
import type { Context } from '../../lib/flows/context.ts'
import { limitsOf } from '../../lib/flows/gates.ts'
import type { GateContext } from '../../lib/ports/generation-store.ts'
import type { GivenClusters, Input, Reject, SourceItem } from '../../lib/ports/input.ts'

export const DIMENSIONS = 16

export type Rows = {
  readonly items: readonly SourceItem[]
  readonly vectors: Float32Array | null
  readonly clusters?: Int32Array | null
  readonly given?: GivenClusters | null
  readonly rejects?: readonly Reject[]
  /** Stands for the contents of the file. */
  readonly modifiedMs?: number
}

/** An input of rows in memory, read in batches of `batch` rows. */
export function makeInput(rows: Rows, batch = 64): Input {
  const { items, vectors, clusters = null, given = null, rejects = [], modifiedMs = 1 } = rows
  return {
    kind: 'memory',
    files: [{ path: 'rows', bytes: 0, modifiedMs }],
    rows: items.length,
    dimensions: vectors && DIMENSIONS,
    clusters: given,
    async *read() {
      for (let first = 0; first < items.length; first += batch) {
        const end = Math.min(items.length, first + batch)
        yield {
          items: items.slice(first, end),
          vectors: vectors === null ? null : vectors.slice(first * DIMENSIONS, end * DIMENSIONS),
          clusters: clusters === null ? null : clusters.slice(first, end),
          rejects: first === 0 ? rejects : [],
        }
      }
    },
  }
}

/** `count` unit vectors around `groups` far-apart directions, in turn, and their texts. */
export function makeRows(count: number, groups = 4, seed = 1): Rows & { readonly vectors: Float32Array } {
  const random = createRandom(seed)
  const vectors = new Float32Array(count * DIMENSIONS)
  for (let row = 0; row < count; row++) {
    const values = Array.from({ length: DIMENSIONS }, (_, column) => {
      return (column === row % groups ? 1 : 0) + 0.2 * (random() - 0.5)
    })
    const norm = Math.hypot(...values)
    vectors.set(
      values.map((value) => value / norm),
      row * DIMENSIONS,
    )
  }
  return { items: Array.from({ length: count }, (_, row) => ({ text: `text "${row}" é` })), vectors }
}

/** The centroids of `makeRows`, and the cluster of each row. */
export function makeClusters(count: number, groups = 4): { given: GivenClusters; clusters: Int32Array } {
  const centroids = new Float32Array(groups * DIMENSIONS)
  for (let group = 0; group < groups; group++) centroids[group * DIMENSIONS + group] = 1
  const clusters = Int32Array.from({ length: count }, (_, row) => row % groups)
  return { given: { ids: Array.from({ length: groups }, (_, id) => id), centroids }, clusters }
}

export type SplitWorld = {
  readonly context: Context
  readonly gateContext: GateContext
  /** Gates that were reported, newest last. */
  readonly gates: GateResult[]
  readonly notes: string[]
}

const ignore = () => undefined

/** A context whose generations lie in `root`; `settings` are further lines of the profile. */
export function makeSplitContext(root: string, input: Input, settings = ''): SplitWorld {
  const profile = parseProfile(
    `name: test\ngenerations: ${root}\nnodes: [{name: node-1}]\n` +
      `model: {name: toy, version: "1", dimensions: ${DIMENSIONS}, metric: cosine, normalized: true}\n${settings}`,
    'test.yml',
  )
  const gates: GateResult[] = []
  const notes: string[] = []
  const context = {
    profile,
    generations: createGenerationStore(root),
    writer: createGenerationWriter(root),
    inputs: { open: async () => input, readPairs: readGoldenPairs },
    embedder: null,
    signal: new AbortController().signal,
    dryRun: false,
    now: () => 0,
    reporter: {
      plan: ignore,
      step: ignore,
      progress: ignore,
      gates: (_title: string, results: readonly GateResult[]) => gates.push(...results),
      note: (message: string) => notes.push(message),
    },
  } as unknown as Context
  const { reporter, signal } = context
  const gateContext = { limits: limitsOf(profile), model: profile.model, embedder: null, reporter, signal }
  return { context, gateContext, gates, notes }
}
