/** What a party does in a federated model. */
export const ROLES = ['guest', 'host', 'arbiter'] as const
export type Role = (typeof ROLES)[number]

/** Ids of the parties of each role, in an order that means something: features of hosts are told apart by it. */
export type Roles = Readonly<Partial<Record<Role, readonly number[]>>>
export type Party = { readonly role: Role; readonly id: number }

/** Which party becomes which. All ids change at once, so that two parties may exchange theirs. */
export type PartyMap = {
  /** The new id of a party; undefined for one that is not in the map. */
  find(role: string, id: number): number | undefined
}

/** Maps parties to those at the same place of the same role. */
export function createPartyMap(from: Roles, to: Roles): PartyMap {
  const maps = new Map<string, Map<number, number>>()
  for (const role of ROLES) {
    const pairs = (from[role] ?? []).map((id, index): [number, number] => [id, to[role]?.[index] ?? id])
    maps.set(role, new Map(pairs))
  }
  return { find: (role, id) => maps.get(role)?.get(id) }
}

/** `arbiter-10000#guest-9999#host-10000_10001#model`: roles by name, ids by number, each once. As FATE-Flow's gen_model_id. */
export function modelIdOf(roles: Roles): string {
  const parts = Object.entries(roles)
    .filter(([, ids]) => ids.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([role, ids]) => `${role}-${[...new Set(ids)].sort((a, b) => a - b).join('_')}`)
  return [...parts, 'model'].join('#')
}

/** The name of the directory that holds a party's versions of a model. */
export function partyModelId({ role, id }: Party, modelId: string): string {
  return `${role}#${id}#${modelId}`
}

/** The name of the archive of a version, as FATE-Flow writes it. */
export function archiveName(
  party: Party,
  { modelId, version }: { modelId: string; version: string },
): string {
  return `${partyModelId(party, modelId)}_${version}.zip`
}

export function partiesOf(roles: Roles): Party[] {
  return ROLES.flatMap((role) => (roles[role] ?? []).map((id) => ({ role, id })))
}

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text)
}
