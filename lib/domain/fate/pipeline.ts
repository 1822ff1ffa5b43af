import { LongshoreError } from '../errors.ts'
import {
  isList,
  isObject,
  type JsonObject,
  type JsonValue,
  NumberText,
  parseJsonObject,
} from './json-text.ts'
import { type Party, ROLES, type Roles } from './parties.ts'
import {
  createDelimited,
  createVarint,
  decodeText,
  encodeText,
  parseFields,
  renderFields,
} from './wire-format.ts'

/** The message `Pipeline`: what a model was trained by, and who it belongs to. Its `bytes` fields hold JSON. */
const FIELDS = {
  inferenceDsl: 1,
  trainDsl: 2,
  trainRuntimeConf: 3,
  fateVersion: 4,
  modelId: 5,
  modelVersion: 6,
  roles: 9,
  initiatorRole: 11,
  initiatorPartyId: 12,
  runtimeConfOnParty: 13,
  parentInfo: 14,
} as const
export type PipelineField = keyof typeof FIELDS

/** Fields of the type `bytes`, which stand in base64 in the JSON form. */
const BYTES: readonly PipelineField[] = [
  'inferenceDsl',
  'trainDsl',
  'trainRuntimeConf',
  'roles',
  'runtimeConfOnParty',
  'parentInfo',
]

export type Pipeline = {
  readonly modelId: string
  readonly modelVersion: string
  readonly fateVersion: string
  readonly trainRuntimeConf: JsonObject
  readonly runtimeConfOnParty: JsonObject | undefined
  readonly parentInfo: JsonObject | undefined
}

/** New contents of fields, as text; a number for `initiatorPartyId`. */
export type PipelineChanges = Readonly<Partial<Record<PipelineField, string | number>>>

/** What a pipeline says of its model. Raises `corrupt`. */
export function parsePipeline(bytes: Uint8Array): Pipeline {
  const texts = readTexts(bytes)
  const read = (field: PipelineField) => {
    const text = texts[field]
    return text ? explain(field, () => parseJsonObject(text)) : undefined
  }
  return {
    modelId: texts.modelId ?? '',
    modelVersion: texts.modelVersion ?? '',
    fateVersion: texts.fateVersion ?? '',
    trainRuntimeConf: read('trainRuntimeConf') ?? {},
    runtimeConfOnParty: read('runtimeConfOnParty'),
    parentInfo: read('parentInfo'),
  }
}

/** The JSON texts in a pipeline, for whoever looks for names in them. Raises `corrupt`. */
export function readPipelineJson(bytes: Uint8Array): readonly { field: PipelineField; json: JsonObject }[] {
  const texts = readTexts(bytes)
  return BYTES.flatMap((field) => {
    const text = texts[field]
    return text ? [{ field, json: explain(field, () => parseJsonObject(text)) }] : []
  })
}

/** The buffer with other contents in these fields; what it does not know is left as it is, a missing field is added. */
export function changePipeline(bytes: Uint8Array, changes: PipelineChanges): Uint8Array {
  const fresh = new Map(
    Object.entries(changes).map(([name, value]) => {
      const number = FIELDS[name as PipelineField]
      const field =
        typeof value === 'number' ? createVarint(number, value) : createDelimited(number, encodeText(value))
      return [number as number, field]
    }),
  )
  const fields = parseFields(bytes)
  const missing = [...fresh.values()].filter(({ number }) => fields.every((field) => field.number !== number))
  return renderFields([...fields.map((field) => fresh.get(field.number) ?? field), ...missing])
}

/** The JSON form with the same changes. */
export function changePipelineSidecar(sidecar: JsonObject, changes: PipelineChanges): JsonObject {
  const fresh = Object.entries(changes).map(([name, value]): [string, JsonValue] => {
    if (typeof value === 'number') return [name, new NumberText(String(value))]
    return [name, BYTES.includes(name as PipelineField) ? Buffer.from(value).toString('base64') : value]
  })
  return { ...sidecar, ...Object.fromEntries(fresh) }
}

/** The parties that a model was trained by, from its `train_runtime_conf`. Raises `corrupt` for ids that are no numbers. */
export function readRoles({ trainRuntimeConf: { role } }: Pipeline): Roles {
  if (!isObject(role)) return {}
  return Object.fromEntries(
    ROLES.filter((name) => isList(role[name])).map((name) => [name, readIds(role[name])]),
  )
}

/** Who began the training; undefined where nobody is named. */
export function readInitiator({ trainRuntimeConf: { initiator } }: Pipeline): Party | undefined {
  if (!isObject(initiator)) return undefined
  const role = ROLES.find((name) => name === initiator.role)
  return role === undefined ? undefined : { role, id: readId(initiator.party_id) }
}

function readIds(value: JsonValue | undefined): number[] {
  return isList(value) ? value.map(readId) : []
}

function readId(value: JsonValue | undefined): number {
  const id = Number(value instanceof NumberText ? value.text : value)
  if (Number.isSafeInteger(id)) return id
  throw new LongshoreError('corrupt', `train_runtime_conf names a party that is no number: ${String(value)}`)
}

function readTexts(bytes: Uint8Array): Partial<Record<PipelineField, string>> {
  const names = new Map(Object.entries(FIELDS).map(([name, number]) => [number as number, name]))
  return Object.fromEntries(
    parseFields(bytes).flatMap(({ number, content }) => {
      const name = names.get(number)
      return name === undefined || content === undefined ? [] : [[name, decodeText(content)]]
    }),
  )
}

function explain<T>(field: PipelineField, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw new LongshoreError(
      'corrupt',
      `${field} ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    )
  }
}
