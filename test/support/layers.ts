import { posix } from 'node:path'

type Rule = {
  /** Layers whose files may be imported. */
  readonly layers: readonly string[]
  /** Layers whose types alone may be imported. */
  readonly types?: readonly string[]
  /** Packages and Node.js modules that may be imported; anything where left out. */
  readonly packages?: RegExp
}

/** The arrows of the design: what each layer may import. */
const RULES: Record<string, Rule> = {
  'lib/domain': { layers: ['lib/domain'], packages: /^node:crypto$/ },
  'lib/ports': { layers: ['lib/ports', 'lib/domain'], packages: /^$/ },
  'lib/config': { layers: ['lib/config', 'lib/domain'], packages: /^(node:.*|yaml|zod)$/ },
  'lib/flows': {
    layers: ['lib/flows', 'lib/ports', 'lib/domain'],
    types: ['lib/config'],
    packages: /^node:(path|crypto|timers\/promises|util)$/,
  },
  'lib/adapters': { layers: ['lib/adapters', 'lib/ports', 'lib/domain'] },
  'lib/cli': { layers: ['lib/cli', 'lib/flows', 'lib/ports', 'lib/config', 'lib/domain'] },
  services: { layers: ['services', 'lib/domain', 'lib/ports', 'lib/adapters'], packages: /^(?!zx$)/ },
  scripts: { layers: ['scripts', 'lib/cli', 'lib/flows'] },
  bench: {
    layers: [
      'bench',
      'lib/domain',
      'lib/ports',
      'lib/adapters',
      'lib/flows',
      'lib/config',
      'test/swarm/lab',
      'test/support',
      'test/adapters/relay',
    ],
  },
  'test/swarm/lab': { layers: ['test/swarm/lab', 'test/support', 'lib/adapters', 'lib/cli'] },
  // Looked for as what benchmarks import: generations and nodes that are played.
  'test/support': { layers: [] },
  'test/adapters/relay': { layers: [] },
}

/** Files that may import more than their layer: those that pick adapters. */
const EXCEPTIONS: Record<string, readonly string[]> = {
  'lib/cli/wire.ts': ['lib/adapters'],
  'lib/cli/wire-embedding.ts': ['lib/adapters'],
  'lib/cli/wire-engines.ts': ['lib/adapters'],
  'lib/cli/wire-seldom.ts': ['lib/adapters'],
}

export type Import = { readonly target: string; readonly isType: boolean }

// The clause between `import` and `from` holds no quotes and no semicolon, so a match never runs over into another statement.
const STATEMENT = /^\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm
const CALL = /\b(?:import|require|import\.meta\.resolve)\(\s*['"`]([^'"`]+)['"`]/g

/** Every import of a source text: static, re-exported, dynamic, and types. */
export function findImports(source: string): Import[] {
  const statements = [...source.matchAll(STATEMENT)].map(([, type, target]) => ({
    target: target!,
    isType: type !== undefined,
  }))
  const calls = [...source.matchAll(CALL)].map(([, target]) => ({ target: target!, isType: false }))
  return [...statements, ...calls]
}

/** What a file imports against the arrows, one sentence each. `file` is relative to the project's root. */
export function findViolations(file: string, source: string): string[] {
  const layer = layerOf(file)
  const rule = layer === undefined ? undefined : RULES[layer]
  if (!rule) return [`${file} belongs to no layer`]
  return findImports(source)
    .filter((found) => !isAllowed(file, rule, found))
    .map(({ target }) => `${file} must not import ${target}`)
}

function isAllowed(file: string, rule: Rule, { target, isType }: Import): boolean {
  if (!target.startsWith('.')) return rule.packages?.test(target) ?? true
  const layer = layerOf(posix.join(posix.dirname(file), target))
  if (layer === undefined) return false
  const allowed = [...rule.layers, ...(isType ? (rule.types ?? []) : []), ...(EXCEPTIONS[file] ?? [])]
  return allowed.includes(layer)
}

function layerOf(file: string): string | undefined {
  return Object.keys(RULES).find((layer) => file.startsWith(`${layer}/`))
}
