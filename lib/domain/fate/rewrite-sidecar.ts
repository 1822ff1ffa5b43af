import { isList, isObject, type JsonObject, type JsonValue } from './json-text.ts'
import type { NameForm, RenameText, Surroundings } from './names.ts'
import type { Entries, Place, Shape } from './shapes.ts'

type Rewriting = { readonly rename: RenameText; readonly surroundings: Surroundings }

/** The JSON form that FATE keeps beside a buffer, renamed at the same places as the buffer. Raises whatever `rename` raises. */
export function rewriteSidecar(sidecar: JsonObject, shape: Shape, rename: RenameText): JsonObject {
  const mapping = shape.ownNamesField === undefined ? undefined : sidecar.featureNameFidMapping
  const ownNames = new Set(isObject(mapping) ? Object.values(mapping).map(String) : [])
  return rewriteObject(sidecar, shape, { rename, surroundings: { role: '', ownNames } })
}

function rewriteObject(value: JsonObject, shape: Shape, rewriting: Rewriting): JsonObject {
  const places = new Map(Object.values(shape.fields).map((place) => [place.name, place]))
  const role = shape.roleField === undefined ? undefined : value.role
  const inside =
    typeof role === 'string' ? { ...rewriting, surroundings: { ...rewriting.surroundings, role } } : rewriting
  return mapEntries(value, (name, member) => [[name, rewriteMember(member, places.get(name), inside)]])
}

function rewriteMember(member: JsonValue, place: Place | undefined, rewriting: Rewriting): JsonValue {
  if (place === undefined) return member
  if (isList(member)) return member.map((part) => rewriteMember(part, place, rewriting))
  if ('text' in place) return renameValue(member, place.text, rewriting)
  if (!isObject(member)) return member
  return 'message' in place
    ? rewriteObject(member, place.message, rewriting)
    : rewriteEntries(member, place.map, rewriting)
}

function rewriteEntries(entries: JsonObject, { key, value, losesSame }: Entries, rewriting: Rewriting) {
  const { rename, surroundings } = rewriting
  return mapEntries(entries, (name, member) => {
    const renamed = key ? rename(key, name, surroundings) : name
    if (losesSame && renamed === name) return []
    if (typeof value === 'string') return [[renamed, renameValue(member, value, rewriting)]]
    return [[renamed, value && isObject(member) ? rewriteObject(member, value, rewriting) : member]]
  })
}

function renameValue(value: JsonValue, form: NameForm, { rename, surroundings }: Rewriting): JsonValue {
  return typeof value === 'string' ? rename(form, value, surroundings) : value
}

function mapEntries(
  value: JsonObject,
  change: (key: string, member: JsonValue) => [string, JsonValue][],
): JsonObject {
  return Object.fromEntries(Object.entries(value).flatMap(([key, member]) => change(key, member)))
}
