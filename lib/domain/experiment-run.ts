import type { GateResult } from './quality.ts'
import type { RunFacts } from './run-metrics.ts'

/** A run as experiment trackers know it: what it was told and made, and what it measured. */
export type ExperimentRun = {
  readonly name: string
  readonly params: readonly { readonly key: string; readonly value: string }[]
  readonly metrics: readonly { readonly key: string; readonly value: number }[]
}

/** Commands that make generations. */
const COMMANDS: readonly string[] = ['split-index', 'reembed', 'migrate']
const MOST_PARAMS = 100
const MOST_CHARACTERS = 500
const DEPTH = 3

type Leaf = { readonly key: string; readonly value: string | number }

/** A run that made or judged a generation; undefined for others, and where nothing was to do. */
export function describeExperiment(facts: RunFacts): ExperimentRun | undefined {
  const { profile, command, outcome, exitCode, tookMs, answer } = facts
  if (!COMMANDS.includes(command) || outcome === 'nothing-to-do') return undefined
  const told = { profile, command, outcome, exitCode, tookMs, ...answer }
  const leaves = [...listLeaves(told, DEPTH), ...listGates(answer.gates)]
  const texts = leaves.filter((leaf): leaf is Leaf & { value: string } => typeof leaf.value === 'string')
  const numbers = leaves.filter((leaf): leaf is Leaf & { value: number } => Number.isFinite(leaf.value))
  const generation = typeof answer.generation === 'string' ? ` ${answer.generation}` : ''
  return {
    name: `${command}${generation}`,
    params: texts
      .slice(0, MOST_PARAMS)
      .map(({ key, value }) => ({ key, value: value.slice(0, MOST_CHARACTERS) })),
    metrics: numbers,
  }
}

/** Texts and numbers of a document by their paths; lists are left out. */
function listLeaves(value: Readonly<Record<string, unknown>>, depth: number): Leaf[] {
  return Object.entries(value).flatMap(([key, member]): Leaf[] => {
    if (typeof member === 'string' || typeof member === 'number') return [{ key, value: member }]
    if (typeof member !== 'object' || member === null || Array.isArray(member) || depth <= 1) return []
    const inner = listLeaves(member as Readonly<Record<string, unknown>>, depth - 1)
    return inner.map((leaf) => ({ ...leaf, key: `${key}.${leaf.key}` }))
  })
}

/** What each gate has measured, and the limit that it was held against, as people read it. */
function listGates(gates: unknown): Leaf[] {
  if (!Array.isArray(gates)) return []
  return (gates as readonly Pick<GateResult, 'name' | 'measured' | 'limit'>[]).flatMap(
    ({ name, measured, limit }) => [
      { key: `gate.${name}`, value: measured },
      { key: `gate.${name}.limit`, value: limit },
    ],
  )
}
