import type { RenameText, Surroundings } from './names.ts'
import type { Entries, Place, Shape } from './shapes.ts'
import {
  createDelimited,
  decodeText,
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
  const ownNames = new Set(readOwnNames(parseFields(bytes), shape))
  return rewriteFields(bytes, shape, { rename, surroundings: { role: '', ownNames } })
}

function rewriteFields(bytes: Uint8Array, shape: Shape, rewriting: Rewriting): Uint8Array {
  const fields = parseFields(bytes)
  const role = fields.findLast(({ number }) => number === shape.roleField)?.content
  const inside =
    role === undefined
      ? rewriting
      : { ...rewriting, surroundings: { ...rewriting.surroundings, role: decodeText(role) } }
  return renderFields(fields.flatMap((field) => rewriteField(field, shape.fields[field.number], inside)))
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

function readOwnNames(fields: readonly WireField[], { ownNamesField }: Shape): string[] {
  return fields
    .filter(({ number, content }) => number === ownNamesField && content !== undefined)
    .flatMap((field) => parseFields(field.content!))
    .flatMap(({ number, content }) => (number === 2 && content !== undefined ? [decodeText(content)] : []))
}
