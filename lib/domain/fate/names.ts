import { LongshoreError } from '../errors.ts'
import type { PartyMap } from './parties.ts'

/** The ways in which texts of a model name parties. */
export type NameForm =
  /** `host_10000_x0`, and nothing else. */
  | 'anonymous'
  /** The same where it is one; any other text stays. */
  | 'maybe-anonymous'
  /** As `maybe-anonymous`; a feature that the party itself has stays, whatever it is called. */
  | 'feature'
  /** `guest:9999`; a text without a colon stays. */
  | 'site'
  /** `(guest,9999)`. */
  | 'pair'
  /** `1_10000`: a mode and a host; -1 is none. */
  | 'plan'
  /** The id alone, of the role that stands beside it. */
  | 'party'
  | 'host-party'

/** What stands around a text that may change what it means. */
export type Surroundings = { readonly role: string; readonly ownNames: ReadonlySet<string> }
export type RenameText = (form: NameForm, text: string, surroundings: Surroundings) => string

const ANONYMOUS = /^([^_]*)_([^_]*)_(.*)$/s
const PAIR = /^\(([^,]*),( ?)(\d+)\)$/
const NUMBER = /^\d+$/

export type RenameOptions = {
  readonly parties: PartyMap
  /** What follows the comma of a pair; as it was where left out. */
  readonly pairGap?: string
}

/** How texts of a model are renamed to new parties. It raises `usage` for parties that are not in the map, `corrupt` for texts of another form. */
export function createRename({ parties, pairGap }: RenameOptions): RenameText {
  const replace = (role: string, id: string, text: string) => {
    const found = parties.find(role, Number(id))
    if (found !== undefined) return String(found)
    throw new LongshoreError(
      'usage',
      `"${text}" names the party ${role} ${id}, which is not under role in the configuration`,
      { hint: 'name every party of the model under role and migrate_role' },
    )
  }
  const replaceAnonymous = (text: string, isStrict: boolean) => {
    const [, role = '', id = '', suffix] = ANONYMOUS.exec(text) ?? []
    if (suffix === undefined && isStrict)
      throw new LongshoreError('corrupt', `"${text}" is no anonymous name, expected role_party_name`)
    if (suffix === undefined || !NUMBER.test(id)) return text
    if (!isStrict && parties.find(role, Number(id)) === undefined) return text
    return `${role}_${replace(role, id, text)}_${suffix}`
  }
  const forms: Record<NameForm, (text: string, surroundings: Surroundings) => string> = {
    anonymous: (text) => replaceAnonymous(text, true),
    'maybe-anonymous': (text) => replaceAnonymous(text, false),
    feature: (text, { ownNames }) => (ownNames.has(text) ? text : replaceAnonymous(text, false)),
    site(text) {
      const [role = '', id] = text.split(':', 2)
      return id === undefined ? text : `${role}:${replace(role, id, text)}`
    },
    pair(text) {
      const [, role, gap, id] = PAIR.exec(text) ?? []
      return id === undefined ? text : `(${role},${pairGap ?? gap}${replace(role!, id, text)})`
    },
    plan(text) {
      const [mode, id = ''] = text.split('_', 2)
      return NUMBER.test(id) ? `${mode}_${parties.find('host', Number(id)) ?? id}` : text
    },
    party: (text, { role }) => (role === '' ? text : replace(role, text, text)),
    'host-party': (text) => replace('host', text, text),
  }
  return (form, text, surroundings) => (text === '' ? text : forms[form](text, surroundings))
}
