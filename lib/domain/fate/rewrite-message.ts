import type { RenameText, Surroundings } from './names.ts'
import type { Entries, Place, Shape } from './shapes.ts'
import {
  createDelimited,
  decodeText,
  eachField,
  encodeText,
  parseFields,
  renderFields,
  type WireField,
} from './wire-format.ts'

type Rewriting = { readonly rename: RenameText; readonly surroundings: Surroundings }

/** A buffer that older writers stored for a message without fields: `DefaultEmptyFillMessage{flag: "set"}`. */
const EMPTY_FILL = Uint8Array.of(0x0a, 3, ...encodeText('set'))

/**
 * A protobuf message whose places of a shape are renamed; every other field keeps its bytes and its place. Raises
 * `corrupt` for what is no such message, and whatever `rename` raises.
 */
export function rewriteMessage(bytes: Uint8Array, shape: Shape, rename: RenameText): Uint8Array {
  if (Buffer.compare(bytes, EMPTY_FILL) === 0) return bytes
  const ownNames = new Set(readOwnNames(bytes, shape))
  return rewriteFields(bytes, shape, { rename, surroundings: { role: '', ownNames } })
}

function rewriteFields(bytes: Uint8Array, shape: Shape, rewriting: Rewriting): Uint8Array {
  const role = readRole(bytes, shape) ?? rewriting.surroundings.role
  const inside = { ...rewriting, surroundings: { ...rewriting.surroundings, role } }
  return renderFields(rewriteEach(bytes, shape, inside))
}

function* rewriteEach(
  bytes: Uint8Array,
  { fields }: Shape,
  rewriting: Rewriting,
): Generator<WireField, void> {
  for (const field of eachField(bytes)) yield* rewriteField(field, fields[field.number], rewriting)
}

function rewriteField(field: WireField, place: Place | undefined, rewriting: Rewriting): WireField[] {
  const { number, content } = field
  if (place === undefined || content === undefined) return [field]
  if ('map' in place) return rewriteEntry(field, content, place.map, rewriting)
  const after =
    'text' in place
      ? renameText(content, place.text, rewriting)
      : rewriteFields(content, place.message, rewriting)
  return [Buffer.compare(content, after) === 0 ? field : createDelimited(number, after)]
}

function renameText(
  content: Uint8Array,
  form: Parameters<RenameText>[0],
  { rename, surroundings }: Rewriting,
) {
  return encodeText(rename(form, decodeText(content), surroundings))
}

function rewriteEntry(
  field: WireField,
  content: Uint8Array,
  { key, value, losesSame }: Entries,
  rewriting: Rewriting,
): WireField[] {
  const fields: Record<number, Place> = {
    ...(key && { 1: { name: 'key', text: key } }),
    ...(typeof value === 'string' && { 2: { name: 'value', text: value } }),
    ...(typeof value === 'object' && { 2: { name: 'value', message: value } }),
  }
  const after = rewriteFields(content, { fields }, rewriting)
  if (losesSame && readKey(content) === readKey(after)) return []
  return [Buffer.compare(content, after) === 0 ? field : createDelimited(field.number, after)]
}

function readKey(entry: Uint8Array): string {
  const key = parseFields(entry).findLast(({ number }) => number === 1)?.content
  return key === undefined ? '' : decodeText(key)
}

function readRole(bytes: Uint8Array, { roleField }: Shape): string | undefined {
  if (roleField === undefined) return undefined
  const role = parseFields(bytes).findLast(({ number }) => number === roleField)?.content
  return role === undefined ? undefined : decodeText(role)
}

function* readOwnNames(bytes: Uint8Array, { ownNamesField }: Shape): Generator<string, void> {
  if (ownNamesField === undefined) return
  for (const { number, content } of eachField(bytes)) {
    if (number !== ownNamesField || content === undefined) continue
    for (const part of parseFields(content))
      if (part.number === 2 && part.content !== undefined) yield decodeText(part.content)
  }
}
