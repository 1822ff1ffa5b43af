import { canonicalJson, type Json } from './canonical-json.ts'

/** One place in which two values differ; undefined where a side has nothing there. */
export type Difference = {
  /** Keys from the outside in: `deploy.replicas`; an element of a list of records by its position: `ports[0].mode`. */
  readonly path: string
  readonly from: Json | undefined
  readonly to: Json | undefined
}

type Members = { readonly [key: string]: Json | undefined }

/**
 * Where two values differ, in the order of their keys. Lists of plain values are compared by what is in them: each that
 * goes and each that comes is a difference of its own, and the whole lists are one where only their order differs.
 */
export function findDifferences(from: Json | undefined, to: Json | undefined, path = ''): Difference[] {
  if (isSame(from, to)) return []
  if (isRecord(from) && isRecord(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort()
    return keys.flatMap((key) => findDifferences(from[key], to[key], path === '' ? key : `${path}.${key}`))
  }
  if (!Array.isArray(from) || !Array.isArray(to)) return [{ path, from, to }]
  if ([...from, ...to].some((one) => isRecord(one))) {
    const places = Array.from({ length: Math.max(from.length, to.length) }, (_, place) => place)
    return places.flatMap((place) => findDifferences(from[place], to[place], `${path}[${place}]`))
  }
  const gone = from.filter((one) => !to.includes(one))
  const come = to.filter((one) => !from.includes(one))
  if (gone.length + come.length === 0) return [{ path, from, to }]
  return [
    ...gone.map((one) => ({ path, from: one, to: undefined })),
    ...come.map((one) => ({ path, from: undefined, to: one })),
  ]
}

const MOST_CHARACTERS = 60
const LEAD = 12

/** `2 -> 3`; long values are cut around the place where they begin to differ. */
export function renderDifference({ from, to }: Difference): string {
  const [before, after] = [renderValue(from), renderValue(to)]
  const isLong = Math.max(before.length, after.length) > MOST_CHARACTERS
  const both = from !== undefined && to !== undefined
  const start = isLong && both ? Math.max(0, countCommon(before, after) - LEAD) : 0
  return `${cut(before, start)} -> ${cut(after, start)}`
}

function renderValue(value: Json | undefined): string {
  if (value === undefined) return '(none)'
  return typeof value === 'string' ? value : canonicalJson(value)
}

function countCommon(a: string, b: string): number {
  let count = 0
  while (count < a.length && a[count] === b[count]) count++
  return count
}

function cut(text: string, start: number): string {
  const part = text.slice(start, start + MOST_CHARACTERS)
  return `${start > 0 ? '…' : ''}${part}${start + MOST_CHARACTERS < text.length ? '…' : ''}`
}

function isSame(a: Json | undefined, b: Json | undefined): boolean {
  return a === undefined || b === undefined ? a === b : canonicalJson(a) === canonicalJson(b)
}

function isRecord(value: Json | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
