import { LongshoreError } from './errors.ts'

type Scalar = string | number | boolean | null
type Comparable = string | number

/** What a member of an item must be: one of some values, or within bounds of its own type. */
export type Condition =
  | { readonly member: string; readonly oneOf: readonly Scalar[] }
  | {
      readonly member: string
      readonly gt?: Comparable
      readonly gte?: Comparable
      readonly lt?: Comparable
      readonly lte?: Comparable
    }

/** Conditions that an item must all meet. */
export type Filter = readonly Condition[]

const BOUNDS = ['gt', 'gte', 'lt', 'lte'] as const
const MOST_CONDITIONS = 16
const MOST_VALUES = 256

/**
 * Parses `{"lang": "en", "tag": {"in": ["a", "b"]}, "year": {"gte": 2020, "lt": 2024}}`. Raises `usage` naming the member
 * and what was expected.
 */
export function parseFilter(value: unknown): Filter {
  if (!isObject(value)) throw refuse('filter', 'an object of member -> value, {"in": [...]} or bounds')
  const entries = Object.entries(value)
  if (entries.length === 0 || entries.length > MOST_CONDITIONS) {
    throw refuse('filter', `1 to ${MOST_CONDITIONS} members`)
  }
  return entries.map(([member, wanted]) => parseCondition(member, wanted))
}

/** Whether an item meets every condition; a member that it lacks meets none. */
export function isMatching(filter: Filter, item: Readonly<Record<string, unknown>>): boolean {
  return filter.every(
    (condition) => Object.hasOwn(item, condition.member) && isMet(condition, item[condition.member]),
  )
}

/** Whether a value meets one condition; values of another type than a bound's never do. Texts are ordered by UTF-16 units. */
export function isMet(condition: Condition, value: unknown): boolean {
  if ('oneOf' in condition) return condition.oneOf.includes(value as Scalar)
  const { gt, gte, lt, lte } = condition
  return (
    isWithin(gt, value, (a, b) => a > b) &&
    isWithin(gte, value, (a, b) => a >= b) &&
    isWithin(lt, value, (a, b) => a < b) &&
    isWithin(lte, value, (a, b) => a <= b)
  )
}

function isWithin(
  bound: Comparable | undefined,
  value: unknown,
  compare: (a: Comparable, b: Comparable) => boolean,
): boolean {
  return bound === undefined || (typeof value === typeof bound && compare(value as Comparable, bound))
}

function parseCondition(member: string, wanted: unknown): Condition {
  if (isScalar(wanted)) return { member, oneOf: [wanted] }
  const where = `filter.${member}`
  if (!isObject(wanted)) throw refuse(where, 'a value, {"in": [...]} or bounds')
  const keys = Object.keys(wanted)
  if (keys.length === 1 && keys[0] === 'in') return { member, oneOf: parseValues(wanted.in, `${where}.in`) }
  const unknown = keys.find((key) => !BOUNDS.includes(key as (typeof BOUNDS)[number]))
  if (unknown !== undefined || keys.length === 0)
    throw refuse(where, `"in" alone, or some of ${BOUNDS.join(', ')}`)
  const wrong = keys.find((key) => !isComparable(wanted[key]))
  if (wrong !== undefined) throw refuse(`${where}.${wrong}`, 'a text or a finite number')
  if (new Set(keys.map((key) => typeof wanted[key])).size > 1) throw refuse(where, 'bounds of one type')
  return { member, ...wanted }
}

function parseValues(values: unknown, where: string): Scalar[] {
  if (Array.isArray(values) && values.length > 0 && values.length <= MOST_VALUES && values.every(isScalar)) {
    return values
  }
  throw refuse(where, `a list of 1 to ${MOST_VALUES} texts, numbers, booleans or null`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value === 'boolean' || isComparable(value)
}

function isComparable(value: unknown): value is Comparable {
  return typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))
}

function refuse(where: string, expected: string): LongshoreError {
  return new LongshoreError('usage', `${where}: expected ${expected}`)
}
