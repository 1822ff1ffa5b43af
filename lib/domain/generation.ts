import { LongshoreError } from './errors.ts'

/** A generation as everything names it: the directory's name and the digest of its manifest. */
export type GenerationRef = { readonly name: string; readonly digest: string }

const NAME = /^dg_(0|[1-9]\d{0,8})$/

export function isGenerationName(name: string): boolean {
  return NAME.test(name)
}

/** The number N of `dg_N`. Raises `usage` for any other name. */
export function parseGenerationNumber(name: string): number {
  const match = NAME.exec(name)
  if (!match) {
    throw new LongshoreError('usage', `"${name}" is no generation name: expected dg_N, for example dg_8`)
  }
  return Number(match[1])
}

/** Orders generation names by their number, oldest first. */
export function compareGenerations(a: string, b: string): number {
  return parseGenerationNumber(a) - parseGenerationNumber(b)
}

/** The name after the newest of the given names; `dg_1` when there is none. */
export function nextGenerationName(names: readonly string[]): string {
  const numbers = names.filter(isGenerationName).map(parseGenerationNumber)
  return `dg_${Math.max(0, ...numbers) + 1}`
}

export function isSameGeneration(a: GenerationRef | undefined, b: GenerationRef | undefined): boolean {
  return a !== undefined && b !== undefined && a.name === b.name && a.digest === b.digest
}
