import { LongshoreError, messageOf } from '../errors.ts'
import { modelIdOf, type Party, ROLES } from './parties.ts'
import { type Pipeline, readRoles } from './pipeline.ts'

/** `import_model.json`: whose package it is. */
export type ImportOrder = {
  readonly party: Party
  readonly modelId: string
  readonly version: string
  /** The archive, where the file was written; seldom where it is now. */
  readonly file: string | undefined
  readonly isForced: boolean
}

/** What `import_model.json` says; `place` is what errors call it. Raises `usage` naming the member. */
export function parseImportOrder(text: string, place: string): ImportOrder {
  const fail = (problem: string) => new LongshoreError('usage', `${place}: ${problem}`)
  const members = parseMembers(text, fail)
  const {
    role,
    party_id: id,
    model_id: modelId,
    model_version: version,
    file,
    force_update: isForced,
  } = members
  const missing = ['role', 'party_id', 'model_id', 'model_version'].filter(
    (key) => members[key] === undefined,
  )
  if (missing.length > 0) throw fail(`required argument are missing: ${missing.join(', ')}`)
  const known = ROLES.find((name) => name === role)
  if (known === undefined) throw fail(`role is ${JSON.stringify(role)}, expected ${ROLES.join(', ')}`)
  if (!Number.isSafeInteger(id)) throw fail(`party_id must be an integer, got ${JSON.stringify(id)}`)
  for (const [key, value] of Object.entries({ model_id: modelId, model_version: version })) {
    if (typeof value !== 'string' || !/^(?!\.)[^/\\\p{Cc}]+$/u.test(value))
      throw fail(`${key} is ${JSON.stringify(value)}, expected a text that can name a directory`)
  }
  return {
    party: { role: known, id: id as number },
    modelId: modelId as string,
    version: version as string,
    file: typeof file === 'string' ? file : undefined,
    isForced: isForced === true || isForced === 1,
  }
}

/** Raises `gate` for a package that is not of the party, or, unless `isCompat`, not of the model that it shall be imported as. */
export function checkImport(
  order: ImportOrder,
  { pipeline, inside, isCompat }: { pipeline: Pipeline; inside: ImportOrder | undefined; isCompat: boolean },
): void {
  const { party, modelId } = order
  const fail = (message: string) =>
    new LongshoreError('gate', message, {
      hint: 'correct import_model.json, or take the package of that party',
    })
  const roles = readRoles(pipeline)
  if (!roles[party.role]?.includes(party.id)) {
    throw fail(
      `Party id "${party.id}" is not in role "${party.role}", please check if the party id and role is valid.`,
    )
  }
  if (isCompat) return
  if (inside && (inside.party.role !== party.role || inside.party.id !== party.id))
    throw fail(`the package is of ${inside.party.role} ${inside.party.id}, not of ${party.role} ${party.id}`)
  if (pipeline.modelId !== modelId)
    throw fail(`the package is of model ${pipeline.modelId}, not of ${modelId}`)
  if (modelIdOf(roles) !== modelId)
    throw fail(`the model was trained by parties that make ${modelIdOf(roles)}, not ${modelId}`)
}

function parseMembers(
  text: string,
  fail: (problem: string) => LongshoreError,
): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch (error) {
    throw fail(`is no JSON: ${messageOf(error)}`)
  }
  throw fail('is no JSON object')
}
