import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createFateFlow } from '../../lib/adapters/fate/fate-flow.ts'
import { createFatePackages } from '../../lib/adapters/fate/packages.ts'
import {
  archiveName,
  modelIdOf,
  type Party,
  partyModelId,
  type Roles,
} from '../../lib/domain/fate/parties.ts'
import {
  createDelimited,
  createVarint,
  encodeText,
  isMessage,
  parseFields,
  renderFields,
  type WireField,
} from '../../lib/domain/fate/wire-format.ts'
import type { PartyContext } from '../../lib/flows/party-context.ts'
import type { Reporter } from '../../lib/ports/reporter.ts'
import { sharedPath } from './shared.ts'

/** Packages that FATE-Flow itself migrated: 1.11.2, and 1.8.0. */
export const CASES = {
  new: sharedPath('data/fate/case-a-3party'),
  former: sharedPath('data/fate/case-f-v1.8-layout'),
}
export const VERSION = '202006171904247702041'

/** What `migrate-party` may touch, on the real disk. */
export function fateContext(overrides: Partial<PartyContext> = {}): PartyContext {
  const reporter = { plan: () => undefined, progress: () => undefined, note: () => undefined }
  return {
    inputs: { readText: async (path: string) => readFileSync(path, 'utf8') } as PartyContext['inputs'],
    fatePackages: createFatePackages(),
    openFateFlow: async (url) => createFateFlow(url),
    reporter: reporter as unknown as Reporter,
    signal: new AbortController().signal,
    dryRun: false,
    confirm: async () => undefined,
    now: () => Date.UTC(2026, 10, 22, 1, 2, 3, 4),
    ...overrides,
  }
}

type Content = string | number | readonly Field[]
/** A field of a message by number. */
export type Field = readonly [number: number, content: Content]

/** A protobuf message of these fields. */
export function message(...fields: readonly Field[]): Uint8Array {
  return renderFields(fields.map(([number, content]) => createField(number, content)))
}

function createField(number: number, content: Content): WireField {
  if (typeof content === 'number') return createVarint(number, content)
  return createDelimited(number, typeof content === 'string' ? encodeText(content) : message(...content))
}

/** Texts of a message, wherever they are nested: what holds no control characters. */
export function textsOf(bytes: Uint8Array): string[] {
  return parseFields(bytes).flatMap(({ content }) => {
    if (content === undefined) return []
    const inside = isMessage(content) ? textsOf(content) : []
    const text = new TextDecoder().decode(content)
    return inside.length > 0 ? inside : /^[^\p{Cc}\ufffd]+$/u.test(text) ? [text] : []
  })
}

/** A message with its fields sorted at every level, so that the order of maps does not count. */
export function sortedFields(bytes: Uint8Array): unknown {
  if (bytes.length === 0 || !isMessage(bytes)) return jsonOr(Buffer.from(bytes).toString('latin1'))
  return parseFields(bytes)
    .map((field): unknown => [field.number, field.content ? sortedFields(field.content) : [...field.bytes]])
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

function jsonOr(text: string): unknown {
  if (!text.startsWith('{')) return text
  try {
    return sortKeys(JSON.parse(text))
  } catch {
    return text
  }
}

/** A value with the members of objects in the order of their names. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sortKeys(member)]),
  )
}

/** Paths of the files below a directory, sorted. */
export function listFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort()
}

export type ModelOptions = {
  readonly roles: Roles
  readonly party: Party
  /** Components by name: module and `Param` buffer. */
  readonly components: Readonly<Record<string, readonly [module: string, param: Uint8Array]>>
  readonly version?: string
  readonly fateVersion?: string
}

/** Writes a package as FATE-Flow 1.11 does, without JSON forms; answers the directory of its version. */
export function writeModel(cache: string, options: ModelOptions): string {
  const { roles, party, components, version = VERSION, fateVersion = '1.11.4' } = options
  const modelId = modelIdOf(roles)
  const root = join(cache, partyModelId(party, modelId), version)
  const names = Object.keys(components)
  const meta = {
    component_define: Object.fromEntries([
      ...names.map((name) => [name, { module_name: components[name]![0] }]),
      ['pipeline', { module_name: 'Pipeline' }],
    ]),
    model_proto: Object.fromEntries([
      ...names.map((name) => [name, { model: { ModelParam: 'Param' } }]),
      ['pipeline', { pipeline: { Pipeline: 'Pipeline' } }],
    ]),
  }
  writeFile(root, 'define/define_meta.yaml', JSON.stringify(meta))
  writeFile(
    root,
    'variables/data/pipeline/pipeline/Pipeline',
    pipelineOf({ roles, modelId, version, fateVersion }),
  )
  for (const name of names) writeFile(root, `variables/data/${name}/model/ModelParam`, components[name]![1])
  return root
}

function pipelineOf({
  roles,
  modelId,
  version,
  fateVersion,
}: {
  roles: Roles
  modelId: string
  version: string
  fateVersion: string
}) {
  const initiator = { role: 'guest', party_id: roles.guest?.[0] ?? 0 }
  const model = { model_id: modelId, model_version: version }
  const train = { dsl_version: 2, initiator, role: roles, job_parameters: { common: model } }
  const onParty = { initiator, role: roles, job_parameters: model }
  return message(
    [3, JSON.stringify(train)],
    [4, fateVersion],
    [5, modelId],
    [6, version],
    [9, JSON.stringify(roles)],
    [11, 'guest'],
    [12, initiator.party_id],
    [13, JSON.stringify(onParty)],
    [14, '{}'],
  )
}

export function writeFile(root: string, path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), contents)
}

export type ConfigOptions = {
  readonly role: Roles
  readonly migrateRole: Roles
  readonly executeParty: Roles
}

/** Writes `migrate_model.json` into a directory; `changes` are laid over its members. */
export function writeConfig(
  directory: string,
  { role, migrateRole, executeParty }: ConfigOptions,
  changes: Readonly<Record<string, unknown>> = {},
): string {
  const path = join(directory, 'migrate_model.json')
  const members = {
    job_parameters: { federated_mode: 'SINGLE' },
    ...{ role, migrate_role: migrateRole, execute_party: executeParty },
    migrate_initiator: { role: 'guest', party_id: migrateRole.guest?.[0] },
    ...{ model_id: modelIdOf(role), model_version: VERSION, unify_model_version: 'moved' },
    ...changes,
  }
  writeFileSync(path, JSON.stringify(members))
  return path
}

/** What a package's archive is called, and where its directory lies. */
export function placesOf(party: Party, roles: Roles, version = 'moved') {
  const modelId = modelIdOf(roles)
  return {
    archive: archiveName(party, { modelId, version }),
    directory: join(partyModelId(party, modelId), version),
  }
}
