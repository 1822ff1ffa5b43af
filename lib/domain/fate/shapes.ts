import type { NameForm } from './names.ts'

/** A field that names parties, or holds fields that do; `name` is that of its JSON form. */
export type Place =
  | { readonly name: string; readonly text: NameForm }
  | { readonly name: string; readonly message: Shape }
  | { readonly name: string; readonly map: Entries }

/** A map: entries with a key in field 1 and a value in field 2. */
export type Entries = {
  readonly key?: NameForm
  readonly value?: NameForm | Shape
  /** Whether entries vanish whose key stays the same, as in the original: it deletes the old key after it wrote the new one. */
  readonly losesSame?: boolean
}

/** The fields of a message that name parties, by number. All others are passed on as they are. */
export type Shape = {
  readonly fields: Readonly<Record<number, Place>>
  /** The field that tells the role of party ids beside it; `role` in JSON. */
  readonly roleField?: number
  /** The map whose values are the party's own features; `featureNameFidMapping` in JSON. */
  readonly ownNamesField?: number
}

/** `strict` rewrites every place; the others what FATE-Flow 1.9 to 1.11, and 1.5 to 1.8, rewrite. */
export type Mode = 'strict' | 'compat' | 'compat-1.8'

/** The messages of a component that name parties, by its module; undefined for modules without any. */
export function shapeOf(module: string, mode: Mode): Shape | undefined {
  return Object.hasOwn(MODULES[mode], module) ? MODULES[mode][module] : undefined
}

const text = (name: string, form: NameForm): Place => ({ name, text: form })
const message = (name: string, shape: Shape): Place => ({ name, message: shape })

const DATA_TRANSFORM: Shape = { fields: { 6: text('anonymousHeader', 'anonymous') } }

const BINS: Shape = { fields: { 11: text('binAnonymous', 'maybe-anonymous') } }

/** A FeatureBinningResult; the keys of a host's map are anonymous, those of the party itself its own columns. */
function binningResult(entries: Entries): Shape {
  return { roleField: 2, fields: { 1: { name: 'binningResult', map: entries }, 3: text('partyId', 'party') } }
}

type BinningParts = { readonly own: Shape; readonly host: Shape }

function multiClassResult({ own, host }: BinningParts): Shape {
  return {
    fields: {
      1: message('results', own),
      3: message('hostResults', host),
      4: text('hostPartyIds', 'host-party'),
    },
  }
}

function binning({ own, host }: BinningParts): Shape['fields'] {
  return {
    1: message('binningResult', own),
    2: message('hostResults', host),
    4: text('headerAnonymous', 'anonymous'),
    6: message('multiClassResult', multiClassResult({ own, host })),
  }
}

const COMPAT_BINNING: Shape = {
  fields: binning({ own: binningResult({}), host: binningResult({ key: 'anonymous', losesSame: true }) }),
}

const WHOLE_BINNING: BinningParts = {
  own: binningResult({ value: BINS }),
  host: binningResult({ key: 'anonymous', value: BINS }),
}
const STRICT_BINNING: Shape = {
  fields: {
    ...binning(WHOLE_BINNING),
    7: message('transformBinningResult', WHOLE_BINNING.own),
    8: message('transformHostResults', WHOLE_BINNING.host),
    9: message('transformMultiClassResult', multiClassResult(WHOLE_BINNING)),
  },
}

const SELECTION: Shape = {
  fields: {
    1: message('results', {
      fields: {
        2: message('hostFeatureValues', {
          fields: { 1: { name: 'featureValues', map: { key: 'anonymous' } } },
        }),
        4: message('hostLeftCols', {
          fields: {
            1: text('originalCols', 'anonymous'),
            2: { name: 'leftCols', map: { key: 'anonymous' } },
          },
        }),
      },
    }),
    4: message('hostColNames', {
      fields: { 1: text('colNames', 'anonymous'), 2: text('partyId', 'host-party') },
    }),
    6: { name: 'colNameToAnonymDict', map: { value: 'anonymous' } },
  },
}

const PEARSON: Shape = {
  fields: {
    1: text('party', 'pair'),
    2: text('parties', 'pair'),
    8: message('allNames', { fields: { 1: text('names', 'maybe-anonymous') } }),
    9: message('anonymousMap', { fields: { 1: text('anonymous', 'anonymous') } }),
  },
}

const COMPAT_TREES: Shape = {
  ownNamesField: 9,
  fields: {
    2: message('trees', { fields: { 1: message('tree', { fields: { 2: text('sitename', 'site') } }) } }),
    8: message('featureImportances', {
      fields: { 1: text('sitename', 'site'), 4: text('fullname', 'feature') },
    }),
    11: text('treePlan', 'plan'),
  },
}
const STRICT_TREES: Shape = {
  ...COMPAT_TREES,
  fields: { ...COMPAT_TREES.fields, 13: { name: 'anonymousNameMapping', map: { key: 'maybe-anonymous' } } },
}

const COMPAT: Readonly<Record<string, Shape>> = {
  DataTransform: DATA_TRANSFORM,
  HeteroFeatureBinning: COMPAT_BINNING,
  HeteroFeatureSelection: SELECTION,
  HeteroPearson: PEARSON,
  HeteroSecureBoost: COMPAT_TREES,
  HeteroFastSecureBoost: COMPAT_TREES,
}

const { DataTransform: _, ...FORMER } = COMPAT

const MODULES: Readonly<Record<Mode, Readonly<Record<string, Shape>>>> = {
  strict: {
    ...COMPAT,
    HeteroFeatureBinning: STRICT_BINNING,
    HeteroSecureBoost: STRICT_TREES,
    HeteroFastSecureBoost: STRICT_TREES,
  },
  compat: COMPAT,
  'compat-1.8': {
    ...FORMER,
    HeteroFeatureBinning: { fields: { 4: text('headerAnonymous', 'anonymous') } },
  },
}
