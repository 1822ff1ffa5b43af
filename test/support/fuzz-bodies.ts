import { createRandom } from '../../lib/domain/random.ts'

/** A request as a fuzzer sends it. */
export type FuzzRequest = {
  readonly method: 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Buffer
}

/** What right requests of one route look like, from which wrong ones are made. */
export type Seed = {
  readonly url: string
  readonly contentType: string
  readonly bodies: readonly (object | Buffer)[]
}

type Random = () => number

const NASTY_VALUES: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    '',
    ' ',
    0,
    -0,
    -1,
    1,
    0.5,
    1e-320,
    1e38,
    -1e38,
    2 ** 31,
    2 ** 53,
    64,
    65,
    1000,
    1001,
  ],
  ...['0', 'partial', 'text', 'dg_1', '\u0000', '\ud800', 'e\u0301', '\u202e', '__proto__', 'x'.repeat(300)],
  ...[
    [],
    {},
    [[]],
    [null],
    [{}],
    { in: [] },
    { in: [1, 'a', null] },
    { gte: 1 },
    { gt: 'a', lte: 2 },
    { toString: 1 },
  ],
]
/** JSON that no JavaScript value is written as. */
const NASTY_JSON = [
  '1e999',
  '-1e999',
  'NaN',
  '-',
  '1e',
  '"\\ud800"',
  '"\\x"',
  '{"a":1,"a":2}',
  '01',
  '[1,]',
  '{',
  '"',
  '//',
]
const NASTY_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '',
  'length',
  'k',
  'query',
  'vector',
  'filter',
]
const TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'text/plain',
  'application/octet-stream',
  '',
  'x',
  'application/json;',
]
const DEEPEST = 2_000

/** An endless source of requests, the same for every seed: right ones, some with wrong values, some with wrong bytes. */
export function createFuzzer(seeds: readonly Seed[], seed: number): () => FuzzRequest {
  const random = createRandom(seed)
  const among = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  return () => {
    const { url, contentType, bodies } = among(seeds)
    const payload = makePayload(among(bodies), random, among)
    const type = random() < 0.05 ? among(TYPES) : contentType
    return {
      method: 'POST',
      url: random() < 0.1 ? spoilAddress(url, random, among) : url,
      headers: type === '' ? {} : { 'content-type': type },
      payload,
    }
  }
}

type Among = <T>(list: readonly T[]) => T

function makePayload(body: object | Buffer, random: Random, among: Among): Buffer {
  const kind = random()
  if (Buffer.isBuffer(body)) return kind < 0.3 ? body : spoilBytes(body, random)
  if (kind < 0.03) return Buffer.from(spoilNesting(random))
  if (kind < 0.05) return randomBytes(Math.floor(random() * 200), random)
  const changed = structuredClone(body)
  for (let times = Math.floor(random() * 4); times > 0; times--) spoilValue(changed, random, among)
  const json = JSON.stringify(changed)
  if (kind < 0.2) return Buffer.from(json.replace(/-?\d+(\.\d+)?|"[^"]*"/, () => among(NASTY_JSON)))
  return kind < 0.4 ? spoilBytes(Buffer.from(json), random) : Buffer.from(json)
}

/** Replaces, removes or adds one member somewhere. */
function spoilValue(node: object, random: Random, among: Among): void {
  const members = node as Record<string, unknown>
  const keys = Object.keys(members)
  if (keys.length === 0 && Array.isArray(node)) return void node.push(structuredClone(among(NASTY_VALUES)))
  const isOther = !Array.isArray(node) && (random() < 0.2 || keys.length === 0)
  const key = isOther ? among(NASTY_KEYS) : among(keys)
  const child = Object.hasOwn(members, key) ? members[key] : undefined
  if (typeof child === 'object' && child !== null && random() < 0.5) {
    spoilValue(child, random, among)
  } else if (random() < 0.15) {
    delete members[key]
  } else {
    const value = random() < 0.2 ? random() * 2 - 1 : structuredClone(among(NASTY_VALUES))
    Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true })
  }
}

/** Flips, drops, repeats or inserts bytes. */
function spoilBytes(bytes: Buffer, random: Random): Buffer {
  const at = Math.floor(random() * bytes.length)
  const length = Math.floor(random() ** 3 * (bytes.length - at))
  const kind = random()
  if (kind < 0.25) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
  if (kind < 0.5) return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)])
  if (kind < 0.6) return Buffer.concat([bytes.subarray(0, at), randomBytes(8, random), bytes.subarray(at)])
  const copy = Buffer.from(bytes)
  for (let times = Math.floor(random() * 4); times >= 0; times--) {
    if (copy.length > 0) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256)
  }
  return copy
}

function spoilNesting(random: Random): string {
  const depth = Math.floor(random() * DEEPEST)
  return random() < 0.5
    ? '['.repeat(depth) + ']'.repeat(depth)
    : `${'{"filter":'.repeat(depth)}1${'}'.repeat(depth)}`
}

function spoilAddress(url: string, random: Random, among: Among): string {
  const [path = '', query = ''] = url.split('?')
  const parts = query.split('&').filter(Boolean)
  const value = encodeURIComponent(
    String(among(['', '-1', '1e999', 'NaN', '[]', '{}', '{"a":1}', 'null', '0', 'x', '1e-9'])),
  )
  const added = `${among(['k', 'generation', 'threshold', 'filter', 'deadlineMs', 'x'])}=${value}`
  const kept = parts.filter(() => random() < 0.9)
  return `${path}?${[...kept, added].join('&')}`
}

function randomBytes(length: number, random: Random): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
}
