import { LongshoreError, messageOf } from '../errors.ts'
import { isRole, modelIdOf, type Party, ROLES, type Role, type Roles } from './parties.ts'

/** `migrate_model.json`: which parties a model had, which it shall have, and whose packages are migrated here. */
export type MigrationConfig = {
  readonly role: Roles
  readonly migrateRole: Roles
  readonly initiator: Party
  /** By their former ids. */
  readonly executeParty: Roles
  readonly federatedMode: 'SINGLE' | 'MULTIPLE'
  readonly modelId: string
  readonly modelVersion: string
  /** Of the new model; undefined where the job's id shall be it. */
  readonly unifyModelVersion: string | undefined
}

type Members = Readonly<Record<string, unknown>>
type Fail = (message: string) => LongshoreError

const REQUIRED = [
  'migrate_initiator',
  'role',
  'migrate_role',
  'model_id',
  'model_version',
  'execute_party',
  'job_parameters',
] as const
/** What FATE's tables hold of a version. */
const MOST_VERSION = 100
/** What FATE's tables hold of a party's id. */
const MOST_PARTY_ID = 9_999_999_999
/** A version names a directory and stands in the name of an archive. */
const VERSION = /^(?!\.)[^/\\#\p{Cc}]+$/u

/** A migration configuration. Raises `usage` naming file and key. */
export function parseMigrationConfig(text: string, file: string): MigrationConfig {
  const fail: Fail = (message) =>
    new LongshoreError('usage', `${file}: ${message}`, {
      hint: 'correct the configuration, and run it again',
    })
  const members = parseMembers(text, fail)
  const missing = REQUIRED.filter((key) => members[key] === undefined || members[key] === null)
  if (missing.length > 0) throw fail(`required argument are missing: ${missing.join(', ')}`)
  const role = parseRoles(members, 'role', fail)
  const migrateRole = parseRoles(members, 'migrate_role', fail)
  const config = {
    role,
    migrateRole,
    initiator: parseInitiator(members.migrate_initiator, fail),
    executeParty: parseRoles(members, 'execute_party', fail),
    federatedMode: parseMode(members.job_parameters, fail),
    modelId: parseText(members, 'model_id', fail),
    modelVersion: parseVersion(members, 'model_version', fail),
    unifyModelVersion: members.unify_model_version
      ? parseVersion(members, 'unify_model_version', fail)
      : undefined,
  }
  checkRoles(config, fail)
  return config
}

function parseMembers(text: string, fail: Fail): Members {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members
  } catch (error) {
    throw fail(`is no JSON: ${messageOf(error)}`)
  }
  throw fail('is no JSON object')
}

function parseRoles(members: Members, key: string, fail: Fail): Roles {
  const value = members[key]
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fail(`${key} is no object, expected lists of party ids by role`)
  const entries = Object.entries(value).map(([role, ids]): [Role, number[]] => {
    if (!isRole(role)) throw fail(`${key}.${role} is no role, expected ${ROLES.join(', ')}`)
    if (!Array.isArray(ids)) throw fail(`${key}.${role} is no list, expected party ids in [ ]`)
    return [role, ids.map((id, index) => parsePartyId(id, `${key}.${role}[${index}]`, fail))]
  })
  for (const [role, ids] of entries)
    if (new Set(ids).size < ids.length) throw fail(`${key}.${role} names a party twice: ${ids.join(', ')}`)
  return Object.fromEntries(entries)
}

function parsePartyId(value: unknown, place: string, fail: Fail): number {
  if (typeof value === 'string')
    throw fail(`${place}: party id must be an integer, got "${value}", a text: write it without quotes`)
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > MOST_PARTY_ID)
    throw fail(`${place}: party id must be an integer of up to 10 digits, got ${JSON.stringify(value)}`)
  return value as number
}

function parseInitiator(value: unknown, fail: Fail): Party {
  const { role, party_id: id } = (value ?? {}) as Members
  if (typeof role !== 'string' || !isRole(role))
    throw fail(`migrate_initiator.role is ${JSON.stringify(role)}, expected ${ROLES.join(', ')}`)
  return { role, id: parsePartyId(id, 'migrate_initiator.party_id', fail) }
}

function parseMode(value: unknown, fail: Fail): MigrationConfig['federatedMode'] {
  const { federated_mode: mode } = (value ?? {}) as Members
  if (mode === 'SINGLE' || mode === 'MULTIPLE') return mode
  throw fail(`job_parameters.federated_mode is ${JSON.stringify(mode)}, expected "SINGLE" or "MULTIPLE"`)
}

function parseText(members: Members, key: string, fail: Fail): string {
  const value = members[key]
  if (typeof value === 'string' && value !== '') return value
  throw fail(`${key} is ${JSON.stringify(value)}, expected a text`)
}

function parseVersion(members: Members, key: string, fail: Fail): string {
  const version = parseText(members, key, fail)
  if (VERSION.test(version) && version.length <= MOST_VERSION) return version
  throw fail(
    `${key} "${version}" cannot name a directory, expected up to ${MOST_VERSION} characters without / and #`,
  )
}

function checkRoles(
  { role, migrateRole, executeParty, initiator, modelId }: MigrationConfig,
  fail: Fail,
): void {
  const names = (roles: Roles) => Object.keys(roles).sort().join(', ')
  if (names(role) !== names(migrateRole))
    throw fail(`role names ${names(role)}, migrate_role ${names(migrateRole)}: expected the same roles`)
  for (const name of ROLES) {
    const [before, after] = [role[name] ?? [], migrateRole[name] ?? []]
    if (before.length !== after.length)
      throw fail(
        `role.${name} has ${before.length} parties, migrate_role.${name} ${after.length}: each needs a new id`,
      )
    const stranger = executeParty[name]?.find((id) => !before.includes(id))
    if (stranger !== undefined)
      throw fail(
        `execute_party.${name} names ${stranger}, which is not in role.${name}: ${before.join(', ')}`,
      )
  }
  if (ROLES.every((name) => String(role[name]) === String(migrateRole[name])))
    throw fail('role and migrate_role are the same: there is no need to migrate the model')
  if (!migrateRole[initiator.role]?.includes(initiator.id))
    throw fail(`migrate_initiator ${initiator.role} ${initiator.id} is not in migrate_role`)
  if (modelId !== modelIdOf(role))
    throw fail(`model_id is "${modelId}", the parties of role make "${modelIdOf(role)}"`)
  if (ROLES.every((name) => (executeParty[name] ?? []).length === 0))
    throw fail('execute_party names no party')
}
