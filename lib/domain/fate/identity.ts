import { isObject, type JsonObject, type JsonValue, NumberText, renderJsonText } from './json-text.ts'
import type { Party, Roles } from './parties.ts'
import type { Pipeline, PipelineChanges } from './pipeline.ts'
import type { Mode } from './shapes.ts'

/** Who a version of a model belongs to. */
export type Identity = {
  readonly modelId: string
  readonly version: string
  readonly roles: Roles
  readonly initiator: Party | undefined
}

/** The first version of FATE whose pipelines tell the initiator and the configuration on the party, less one. */
const NO_INITIATOR = [1, 5, 0] as const

/**
 * What a pipeline has to say to be of another identity. `compat` leaves what the original leaves: with 1.5 to 1.8, the
 * roles and the configuration on the party are stale.
 */
export function planIdentity(pipeline: Pipeline, identity: Identity, mode: Mode): PipelineChanges {
  const { modelId, version, roles, initiator } = identity
  const { trainRuntimeConf, runtimeConfOnParty, parentInfo } = pipeline
  const isNewer = mode === 'strict' || isAfter(pipeline.fateVersion, NO_INITIATOR)
  const isParent =
    mode === 'strict' && parentInfo?.parent_model_id === pipeline.modelId && modelId !== pipeline.modelId
  return {
    trainRuntimeConf: renderJsonText(planTrainConf(trainRuntimeConf, identity, mode)),
    modelId,
    modelVersion: version,
    ...(mode !== 'compat-1.8' && { roles: renderJsonText(rolesJson(roles)) }),
    ...(isNewer &&
      initiator && {
        initiatorRole: initiator.role,
        initiatorPartyId: initiator.id,
      }),
    ...(isNewer &&
      mode !== 'compat-1.8' &&
      runtimeConfOnParty && {
        runtimeConfOnParty: renderJsonText({
          ...withParties(runtimeConfOnParty, identity),
          job_parameters: withModel(runtimeConfOnParty.job_parameters, identity),
        }),
      }),
    ...(isParent && { parentInfo: renderJsonText({ ...parentInfo, parent_model_id: modelId }) }),
  }
}

/** Version 2 of the DSL keeps the identity under `job_parameters.common`, version 1 in `job_parameters` itself. */
function planTrainConf(conf: JsonObject, identity: Identity, mode: Mode): JsonObject {
  const parameters = isObject(conf.job_parameters) ? conf.job_parameters : {}
  const isSecond = conf.dsl_version instanceof NumberText && Number(conf.dsl_version.text) === 2
  if (isSecond) {
    const common = withModel(parameters.common, identity)
    return { ...withParties(conf, identity), job_parameters: { ...parameters, common } }
  }
  // The original makes an empty one on the way.
  const common: JsonObject = mode === 'strict' || parameters.common !== undefined ? {} : { common: {} }
  return {
    ...withParties(conf, identity),
    job_parameters: withModel({ ...parameters, ...common }, identity),
  }
}

function withParties(conf: JsonObject, { roles, initiator }: Identity): JsonObject {
  return {
    ...conf,
    role: rolesJson(roles),
    ...(initiator && { initiator: { role: initiator.role, party_id: numberText(initiator.id) } }),
  }
}

function withModel(parameters: JsonValue | undefined, { modelId, version }: Identity): JsonObject {
  return { ...(isObject(parameters) && parameters), model_id: modelId, model_version: version }
}

function rolesJson(roles: Roles): JsonObject {
  return Object.fromEntries(Object.entries(roles).map(([role, ids]) => [role, ids.map(numberText)]))
}

function numberText(value: number): NumberText {
  return new NumberText(String(value))
}

function isAfter(version: string, other: readonly number[]): boolean {
  const parts = version.split('.').map(Number)
  const index = other.findIndex((part, at) => (parts[at] ?? 0) !== part)
  return index >= 0 && (parts[index] ?? 0) > other[index]!
}
