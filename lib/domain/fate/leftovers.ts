import { isList, isObject, type JsonValue, NumberText } from './json-text.ts'
import { modelIdOf, ROLES, type Roles } from './parties.ts'
import { eachField, isMessage, readText } from './wire-format.ts'

/** A place of a new package where the id of a former party still stands. */
export type Leftover = {
  /** Fields by number, members by name: `2[0].1[3].1`. */
  readonly place: string
  readonly text: string
  /** `named`: with its role, so that nothing else can be meant. `bare`: a number that may be something else. */
  readonly certainty: 'named' | 'bare'
}

/** Tells what a text says of former parties; undefined for nothing. */
export type FindNames = (text: string) => Leftover['certainty'] | undefined

const MOST_DEPTH = 60
/** Members of configurations whose numbers are parties. */
const PARTY_MEMBER =
  /(?:^|\.)(?:party_?id|src_party_id|dest_party_id)$|(?:^|\.)(?:role|roles)\.(?:guest|host|arbiter)\[\d+\]$|^(?:guest|host|arbiter)\[\d+\]$/i

/** Looks for parties whose ids change, in all the forms in which FATE writes them. */
export function createFindNames(from: Roles, to: Roles): FindNames {
  const changed = ROLES.flatMap((role) =>
    (from[role] ?? []).filter((id, index) => to[role]?.[index] !== id).map((id) => ({ role, id })),
  )
  const forms = changed.flatMap(({ role, id }) => [
    `${role}[_:#]${id}`,
    `${role}-(?:\\d+_)*${id}`,
    `\\(${role}, ?${id}`,
  ])
  const named = new RegExp(`(?<![A-Za-z0-9])(?:${forms.join('|')})(?!\\d)`)
  const ids = new Set(changed.map(({ id }) => String(id)))
  // Parties that exchange ids leave the model's id as it is.
  const fresh = modelIdOf(to)
  return (text) => (named.test(text.replaceAll(fresh, '')) ? 'named' : ids.has(text) ? 'bare' : undefined)
}

/**
 * Places of a buffer that name a former party and stand as they stood before. Both are walked side by side, because after
 * an exchange of ids a former id may be a new one; fields are told by number, messages guessed, as no schema is needed.
 */
export function findInMessage(before: Uint8Array, after: Uint8Array, find: FindNames): Leftover[] {
  return walkMessage(before, after, { find, path: '', depth: 0 })
}

type Walk = { readonly find: FindNames; readonly path: string; readonly depth: number }

function walkMessage(before: Uint8Array, after: Uint8Array, { find, path, depth }: Walk): Leftover[] {
  if (depth > MOST_DEPTH || !isMessage(before) || !isMessage(after)) return []
  const former = eachField(before)
  const counts = new Map<number, number>()
  const found: Leftover[] = []
  for (const { number, content } of eachField(after)) {
    const count = counts.get(number) ?? 0
    counts.set(number, count + 1)
    const old = former.next().value?.content
    if (content === undefined || old === undefined) continue
    const inside = { find, path: `${path}${path && '.'}${number}[${count}]`, depth: depth + 1 }
    const nested = walkMessage(old, content, inside)
    const isKept = nested.length === 0 && Buffer.compare(old, content) === 0
    for (const leftover of isKept ? findInText(content, inside) : nested) found.push(leftover)
  }
  return found
}

function findInText(content: Uint8Array, { find, path }: Walk): Leftover[] {
  const text = readText(content)
  const certainty = text === undefined ? undefined : find(text)
  return certainty === undefined ? [] : [{ place: path, text: text!, certainty }]
}

/** As findInMessage, for JSON: keys, texts, and numbers of members that are parties. */
export function findInJson(before: JsonValue, after: JsonValue, find: FindNames): Leftover[] {
  return walkJson(before, after, { find, path: '', depth: 0 })
}

function walkJson(before: JsonValue, after: JsonValue | undefined, { find, path, depth }: Walk): Leftover[] {
  if (isList(after)) {
    const former = isList(before) ? before : []
    return after.flatMap((value, index) =>
      walkJson(former[index] ?? null, value, { find, path: `${path}[${index}]`, depth: depth + 1 }),
    )
  }
  if (isObject(after)) {
    const former = isObject(before) ? Object.entries(before) : []
    const entries = Object.entries(after)
    return entries.flatMap(([key, value], index) => {
      // A renamed key stands at the place of the former one, whose name another key may have now.
      const [oldKey, old] = former[index] ?? []
      const inside = { find, path: `${path}${path && '.'}${key}`, depth: depth + 1 }
      const ofKey: Leftover[] =
        oldKey === key && find(key) === 'named' ? [{ place: inside.path, text: key, certainty: 'named' }] : []
      return [...ofKey, ...walkJson(old ?? null, value, inside)]
    })
  }
  return findInValue(before, after, { find, path, depth })
}

function findInValue(before: JsonValue, after: JsonValue | undefined, { find, path }: Walk): Leftover[] {
  const text = after instanceof NumberText ? after.text : after
  const former = before instanceof NumberText ? before.text : before
  if (typeof text !== 'string' || text !== former) return []
  const certainty = find(text)
  if (certainty === 'bare' && PARTY_MEMBER.test(path)) return [{ place: path, text, certainty: 'named' }]
  // Numbers elsewhere, and counts that the JSON form writes as texts, are what they are.
  return certainty === 'named' ? [{ place: path, text, certainty }] : []
}
