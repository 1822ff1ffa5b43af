import { LongshoreError, messageOf } from '../errors.ts'
import { parseJsonObject, parseJsonText, renderJsonText } from './json-text.ts'
import { type FindNames, findInJson, findInMessage, type Leftover } from './leftovers.ts'
import type { RenameText } from './names.ts'
import { type DefineMeta, kindOf, placeOf } from './package-layout.ts'
import { changePipeline, changePipelineSidecar, type PipelineChanges, readPipelineJson } from './pipeline.ts'
import { rewriteMessage } from './rewrite-message.ts'
import { rewriteSidecar } from './rewrite-sidecar.ts'
import { type Mode, type Shape, shapeOf } from './shapes.ts'
import { decodeText, encodeText, isMessage } from './wire-format.ts'

/** How the files of one package change. */
export type Rewriting = {
  readonly mode: Mode
  readonly meta: DefineMeta
  readonly rename: RenameText
  readonly changes: PipelineChanges
}

/**
 * A file of a package as the new parties need it: the same bytes where it names none. Raises `corrupt` naming the file for
 * one that does not parse, `usage` for one that names a party which the configuration does not.
 */
export function rewriteFile(path: string, bytes: Uint8Array, rewriting: Rewriting): Uint8Array {
  const { mode, meta, rename, changes } = rewriting
  const shape = findShape(path, meta, mode)
  return explain(path, () => {
    switch (kindOf(path)) {
      case 'pipeline':
        return changePipeline(bytes, changes)
      case 'pipeline-sidecar':
        return mode === 'compat-1.8'
          ? bytes
          : renderJson(changePipelineSidecar(parseJsonObject(decodeText(bytes)), changes))
      case 'buffer':
        if (!isMessage(bytes)) throw new LongshoreError('corrupt', 'is no protobuf message')
        return shape ? rewriteMessage(bytes, shape, rename) : bytes
      case 'sidecar':
        return shape ? renderJson(rewriteSidecar(parseJsonObject(decodeText(bytes)), shape, rename)) : bytes
      default:
        return bytes
    }
  })
}

/** Places of a file that still name a former party. Raises `corrupt` naming a file that does not parse. */
export function findLeftovers(
  path: string,
  { before, after, find }: { before: Uint8Array; after: Uint8Array; find: FindNames },
): Leftover[] {
  const kind = kindOf(path)
  return explain(path, () => {
    if (kind === 'buffer') return findInMessage(before, after, find)
    if (kind === 'pipeline') return findInPipeline(before, after, find)
    if (path.endsWith('.json'))
      return findInJson(parseJsonText(decodeText(before)), parseJsonText(decodeText(after)), find)
    return path.endsWith('.yaml') ? findInLines(before, after, find) : []
  })
}

/** Whether a file is read as a whole: it is rewritten, or names may stand in it. */
export function isRead(path: string): boolean {
  return !['lock', 'checkpoint', 'import', 'other'].includes(kindOf(path)) || /\.(json|yaml)$/.test(path)
}

/** The shape of the parameters of a component; its `Meta` buffers name nobody. */
function findShape(path: string, { modules }: DefineMeta, mode: Mode): Shape | undefined {
  const place = placeOf(path)
  if (!place?.buffer.includes('Param')) return undefined
  const module = modules[place.component]
  return module === undefined ? undefined : shapeOf(module, mode)
}

function findInPipeline(before: Uint8Array, after: Uint8Array, find: FindNames): Leftover[] {
  const former = new Map(readPipelineJson(before).map(({ field, json }) => [field, json]))
  return readPipelineJson(after).flatMap(({ field, json }) =>
    findInJson(former.get(field) ?? {}, json, find).map((leftover) => ({
      ...leftover,
      place: `${field}.${leftover.place}`,
    })),
  )
}

function findInLines(before: Uint8Array, after: Uint8Array, find: FindNames): Leftover[] {
  const former = decodeText(before).split('\n')
  return decodeText(after)
    .split('\n')
    .flatMap((text, index) =>
      text === former[index] && find(text) === 'named'
        ? [{ place: `line ${index + 1}`, text: text.trim(), certainty: 'named' as const }]
        : [],
    )
}

function renderJson(value: Parameters<typeof renderJsonText>[0]): Uint8Array {
  return encodeText(renderJsonText(value))
}

function explain<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof LongshoreError)) throw error
    const { kind, hint } = error
    throw new LongshoreError(kind, `${path}: ${messageOf(error)}`, {
      ...(hint !== undefined && { hint }),
      cause: error,
    })
  }
}
