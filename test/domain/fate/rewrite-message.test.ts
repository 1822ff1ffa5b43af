import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseJsonObject, parseJsonText, renderJsonText } from '../../../lib/domain/fate/json-text.ts'
import { createFindNames, findInJson, findInMessage } from '../../../lib/domain/fate/leftovers.ts'
import { createRename } from '../../../lib/domain/fate/names.ts'
import { createPartyMap, modelIdOf, type Roles } from '../../../lib/domain/fate/parties.ts'
import { rewriteMessage } from '../../../lib/domain/fate/rewrite-message.ts'
import { rewriteSidecar } from '../../../lib/domain/fate/rewrite-sidecar.ts'
import { shapeOf } from '../../../lib/domain/fate/shapes.ts'
import { type Field, message, textsOf } from '../../support/fate.ts'

const CROSSED: [Roles, Roles] = [
  { guest: [9999], host: [10000, 10001] },
  { guest: [9999], host: [10001, 10000] },
]

function renameBy([from, to]: readonly [Roles, Roles]) {
  return createRename({ parties: createPartyMap(from, to) })
}

function rewrite(module: string, roles: readonly [Roles, Roles], ...fields: readonly Field[]): string[] {
  return textsOf(rewriteMessage(message(...fields), shapeOf(module, 'strict')!, renameBy(roles)))
}

test('ids of hosts are exchanged at once', () => {
  const header: Field[] = [
    [6, 'host_10000_x0'],
    [6, 'host_10001_x0'],
    [6, 'host_10000_x1'],
  ]
  assert.equal(rewrite('DataTransform', CROSSED, ...header), [
    'host_10001_x0',
    'host_10000_x0',
    'host_10001_x1',
  ])
})

test('an exchange is no leftover, and a name that was forgotten in it is one', () => {
  const find = createFindNames(...CROSSED)
  const before = message([6, 'host_10000_x0'], [6, 'host_10001_x0'], [99, 'host_10000_x7'])
  const after = rewriteMessage(before, shapeOf('DataTransform', 'strict')!, renameBy(CROSSED))
  assert.equal(findInMessage(before, after, find), [
    { place: '99[0]', text: 'host_10000_x7', certainty: 'named' },
  ])
})

test('exchanged keys of a JSON form are no leftovers', () => {
  const find = createFindNames(...CROSSED)
  const before = parseJsonObject(
    '{"m": {"host_10000_x0": 1.0, "host_10001_x0": 2.0}, "n": ["host_10000_x0"]}',
  )
  const after = parseJsonObject('{"m": {"host_10001_x0": 1.0, "host_10000_x0": 2.0}, "n": ["host_10000_x0"]}')
  assert.equal(findInJson(before, after, find), [
    { place: 'n[0]', text: 'host_10000_x0', certainty: 'named' },
  ])
})

test('ids that begin as others do are different ids', () => {
  const roles: [Roles, Roles] = [
    { guest: [99], host: [999, 9999] },
    { guest: [1], host: [2, 3] },
  ]
  const fields: Field[] = [99, 999, 9999].map(
    (id): Field => [6, `${id === 99 ? 'guest' : 'host'}_${id}_x_99_y`],
  )
  assert.equal(rewrite('DataTransform', roles, ...fields), [
    'guest_1_x_99_y',
    'host_2_x_99_y',
    'host_3_x_99_y',
  ])
  const find = createFindNames({ host: [999] }, { host: [2] })
  assert.is(find('host_9999_x'), undefined)
  assert.is(find('localhost_999_x'), undefined)
  assert.is(find('host-999_9999#model'), 'named')
  assert.is(find('guest-1#host-7_999#model'), 'named')
  assert.is(find('999'), 'bare')
})

test('names in any writing keep what follows the id', () => {
  const roles: [Roles, Roles] = [{ host: [10000] }, { host: [7] }]
  assert.equal(rewrite('DataTransform', roles, [6, 'host_10000_特征_é_😀']), ['host_7_特征_é_😀'])
})

test('a feature of its own keeps a name that looks like that of a party', () => {
  const roles: [Roles, Roles] = [{ host: [10000] }, { host: [7] }]
  const own: Field = [
    9,
    [
      [1, 0],
      [2, 'host_10000_0'],
    ],
  ]
  const importances: Field[] = ['host_10000_0', 'host_10000_1'].map(
    (name): Field => [
      8,
      [
        [1, 'host:10000'],
        [4, name],
      ],
    ],
  )
  assert.equal(rewrite('HeteroSecureBoost', roles, own, ...importances), [
    ...['host_10000_0', 'host:7', 'host_10000_0'],
    ...['host:7', 'host_7_1'],
  ])
})

test('sites, plans and pairs are renamed by their own forms', () => {
  const roles: [Roles, Roles] = [
    { guest: [9999], host: [10000] },
    { guest: [1], host: [2] },
  ]
  const tree: Field = [
    2,
    [
      [1, [[2, 'guest:9999']]],
      [1, [[2, 'guest']]],
      [1, [[2, 'hostLocal']]],
    ],
  ]
  const plans: Field[] = ['0_-1', '1_10000', '1_555'].map((plan): Field => [11, plan])
  assert.equal(rewrite('HeteroFastSecureBoost', roles, tree, ...plans), [
    ...['guest:1', 'guest', 'hostLocal'],
    ...['0_-1', '1_2', '1_555'],
  ])
  assert.equal(rewrite('HeteroPearson', roles, [1, '(guest,9999)'], [2, '(host, 10000)']), [
    '(guest,1)',
    '(host, 2)',
  ])
})

test('a party that nobody named ends the migration, and says which', () => {
  const roles: [Roles, Roles] = [{ host: [10000] }, { host: [7] }]
  assert.throws(() => rewrite('DataTransform', roles, [6, 'host_1234_x0']), /host 1234/)
  assert.throws(() => rewrite('DataTransform', roles, [6, 'x0']), /expected role_party_name/)
})

const suffix = fc.string({ unit: 'binary', maxLength: 12 })
const host = fc.constantFrom(10000, 10001)
const name = fc.tuple(host, suffix).map(([id, rest]) => `host_${id}_${rest}`)
const unknown = fc
  .tuple(fc.integer({ min: 20, max: 2000 }), fc.string({ unit: 'binary', maxLength: 20 }))
  .map((field): Field => field)
const bins = name.map(
  (text): Field => [
    2,
    [
      [1, 10000],
      [11, `${text}.0`],
    ],
  ],
)
const entry = fc.tuple(name, bins).map(([key, value]): Field => [1, [[1, key], value]])
const result = fc
  .tuple(fc.array(fc.oneof(entry, unknown), { maxLength: 4 }), host)
  .map(([entries, id]) => [...entries, [2, 'host'], [3, String(id)]] as const)
const binning = fc.array(
  fc.oneof(
    unknown,
    name.map((text): Field => [4, text]),
    fc.tuple(fc.constantFrom(2, 8), result).map(([number, fields]): Field => [number, fields]),
    fc.tuple(fc.constantFrom(6, 9), result).map(
      ([number, fields]): Field => [
        number,
        [
          [3, fields],
          [4, '10001'],
        ],
      ],
    ),
  ),
  { maxLength: 8 },
)

test('an exchange changes what names a host and nothing else, and a second one takes it back byte for byte', () => {
  const find = createFindNames(...CROSSED)
  const shape = shapeOf('HeteroFeatureBinning', 'strict')!
  fc.assert(
    fc.property(binning, (fields) => {
      const before = message(...fields)
      const after = rewriteMessage(before, shape, renameBy(CROSSED))
      assert.is(after.length, before.length)
      assert.equal(rewriteMessage(after, shape, renameBy(CROSSED)), before)
      assert.equal(
        findInMessage(before, after, find).filter(({ place }) => !/(^|\.)\d{2,}\[/.test(place)),
        [],
      )
    }),
    { numRuns: 300 },
  )
})

test('a number that equals an id is a number', () => {
  const roles: [Roles, Roles] = [{ host: [10000] }, { host: [7] }]
  const bytes = message([1, 10000], [5, [[1, 10000]]])
  assert.equal(rewriteMessage(bytes, shapeOf('DataTransform', 'strict')!, renameBy(roles)), bytes)
})

test('a buffer that older writers filled for want of fields is passed on', () => {
  const bytes = message([1, 'set'])
  assert.equal(rewriteMessage(bytes, shapeOf('HeteroFeatureBinning', 'strict')!, renameBy(CROSSED)), bytes)
})

test('the original empties the results of a host whose id stays; strict keeps them', () => {
  const roles: [Roles, Roles] = [
    { guest: [9999], host: [10000] },
    { guest: [99], host: [10000] },
  ]
  const bytes = message([
    2,
    [
      [
        1,
        [
          [1, 'host_10000_x0'],
          [2, [[8, 1]]],
        ],
      ],
      [2, 'host'],
      [3, '10000'],
    ],
  ])
  const migrated = (mode: 'strict' | 'compat') =>
    textsOf(rewriteMessage(bytes, shapeOf('HeteroFeatureBinning', mode)!, renameBy(roles)))
  assert.equal(migrated('compat'), ['host', '10000'])
  assert.equal(migrated('strict'), ['host_10000_x0', 'host', '10000'])
})

test('the JSON form changes at the same places, and numbers keep how they are written', () => {
  const roles: [Roles, Roles] = [{ host: [10000] }, { host: [7] }]
  const text =
    '{"results": [{"hostLeftCols": [{"leftCols": {"host_10000_x": true}}], "featureValues": {"a": 5.0}}], "colNameToAnonymDict": {"\\u7279": "host_10000_\\u7279"}, "big": 12345678901234567890, "tiny": 1e-05}'
  const after = rewriteSidecar(
    parseJsonObject(text),
    shapeOf('HeteroFeatureSelection', 'strict')!,
    renameBy(roles),
  )
  assert.is(renderJsonText(after), text.replaceAll('host_10000_', 'host_7_'))
})

test('JSON that is none is told as such', () => {
  assert.throws(() => parseJsonText('{"a": NaN}'), /is no JSON/)
  assert.throws(() => parseJsonObject('[1]'), /no JSON object/)
})

test('model ids name roles by name and ids by number, each once', () => {
  assert.is(modelIdOf({ host: [10001, 10000, 9, 10000], guest: [99] }), 'guest-99#host-9_10000_10001#model')
})

test.run()
