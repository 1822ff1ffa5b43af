import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadProfile, parseProfile } from '../../lib/config/load.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { ROOT } from '../support/shared.ts'

const MODEL = `model:
  name: lexical-hash
  version: "1"
  dimensions: 512
  metric: cosine
  normalized: true
`
const VALID = `name: test\nnodes:\n  - name: node-1\n${MODEL}`
const IN_SWARM = `name: test\nengine: swarm\nnodes:\n  - { name: node-1, host: a }\n${MODEL}`

/** The message of the error that a profile raises. */
function problemOf(text: string): string {
  try {
    parseProfile(text, 'config/x.yml')
  } catch (error) {
    assert.instance(error, LongshoreError)
    assert.is((error as LongshoreError).kind, 'usage')
    return (error as LongshoreError).message
  }
  throw new Error('the profile was accepted')
}

test('fills in every default', () => {
  const profile = parseProfile(VALID, 'x.yml')
  assert.is(profile.gateway.port, 14005)
  assert.match(profile.model.fingerprint, /^sha256:/)
})

const WRONG: [string, string, string][] = [
  [
    'an unknown key',
    `${VALID}gatway:\n  port: 1\n`,
    'config/x.yml:10: gatway: no such key; did you mean gateway?',
  ],
  [
    'an unknown key inside',
    `${VALID}gates:\n  selfRoutin: 1\n`,
    'config/x.yml:11: gates.selfRoutin: no such key; did you mean selfRouting?',
  ],
  [
    'an unknown key inside a list',
    VALID.replace('- name: node-1', '- name: node-1\n    colour: red'),
    'config/x.yml:4: nodes.0.colour: no such key; expected one of name, host, port, user, relayHost, zone',
  ],
  ['a missing key', VALID.replace('name: test\n', ''), 'config/x.yml:1: name: missing; expected text'],
  [
    'a missing key inside',
    VALID.replace('  dimensions: 512\n', ''),
    'config/x.yml:4: model.dimensions: missing; expected a number',
  ],
  [
    'a wrong type',
    `${VALID}gateway:\n  port: high\n`,
    'config/x.yml:11: gateway.port: expected a number, found "high"',
  ],
  [
    'a fraction where a count belongs',
    `${VALID}index:\n  replicas: 1.5\n`,
    'config/x.yml:11: index.replicas: expected a whole number, found 1.5',
  ],
  [
    'a value out of bounds',
    `${VALID}gates:\n  recall: 1.5\n`,
    'config/x.yml:11: gates.recall: expected at most 1, found 1.5',
  ],
  [
    'a share of second requests beyond all',
    `${VALID}gateway:\n  hedgeShare: 5\n`,
    'config/x.yml:11: gateway.hedgeShare: expected at most 1, found 5',
  ],
  [
    'no requests at a time',
    `${VALID}gateway:\n  maxInFlight: 0\n`,
    'config/x.yml:11: gateway.maxInFlight: expected at least 1, found 0',
  ],
  [
    'a policy for missing shards that there is not',
    `${VALID}gateway:\n  partial: maybe\n`,
    'config/x.yml:11: gateway.partial: expected one of fail, partial, found "maybe"',
  ],
  [
    'a word that is none of the choices',
    `${VALID}split:\n  duplicates: drop\n`,
    'config/x.yml:11: split.duplicates: expected one of keep, merge, found "drop"',
  ],
  [
    'a kind of search that there is not',
    `${VALID}split:\n  search: ivf\n`,
    'config/x.yml:11: split.search: expected one of auto, exact, exact-i8, hnsw, found "ivf"',
  ],
  [
    'a recall that is no share',
    `${VALID}split:\n  searchRecall: 99\n`,
    'config/x.yml:11: split.searchRecall: expected at most 1, found 99',
  ],
  [
    'a list where a mapping belongs',
    `${VALID}update: [1]\n`,
    'config/x.yml:10: update: expected a mapping of keys, found a list',
  ],
  ['a key without a value', `${VALID}state:\n`, 'config/x.yml:10: state: expected text, found nothing'],
  [
    'an address that is none',
    `${VALID}extraction:\n  url: tf-serving\n`,
    'config/x.yml:11: extraction.url: expected an http or https address, found "tf-serving"',
  ],
  [
    'a node name that could be an option',
    VALID.replace('node-1', '-rf'),
    'config/x.yml:3: nodes.0.name: expected letters, digits, dots, dashes or underscores, found "-rf"',
  ],
  [
    'two nodes of one name',
    VALID.replace('- name: node-1', '- name: node-1\n  - name: node-1'),
    'config/x.yml:2: nodes: two nodes have the same name',
  ],
  [
    'a Swarm without the address of a node',
    `${VALID}engine: swarm\nswarm: { managers: [node-1] }\n`,
    'config/x.yml:3: nodes.0.host: missing; expected the address of its sshd',
  ],
  [
    'a Swarm without managers',
    `${IN_SWARM}swarm:\n  image: longshore:1\n`,
    'config/x.yml:11: swarm.managers: missing; expected the names of nodes that are managers',
  ],
  [
    'a manager that is no node',
    `${IN_SWARM}swarm:\n  managers: [node-9]\n`,
    'config/x.yml:12: swarm.managers: node-9 is not among the nodes; expected some of node-1',
  ],
  [
    'a data directory that is no absolute path',
    `${VALID}swarm:\n  dataDirectory: ../data\n`,
    'config/x.yml:11: swarm.dataDirectory: expected an absolute path of letters, digits, dots, dashes and underscores, found "../data"',
  ],
  [
    'replica groups of a single replica, or on a single node',
    `${VALID}update: { strategy: replica-groups }\nindex:\n  replicas: 1\n`,
    'config/x.yml:12: index.replicas: with update.strategy replica-groups, expected at least 2, half of which move first; found 1\n' +
      'config/x.yml:2: nodes: with update.strategy replica-groups, expected at least 2, so that none holds two generations; found 1',
  ],
  [
    'less time to end than to go on answering',
    `${VALID}swarm:\n  graceSeconds: 2\n`,
    'config/x.yml:11: swarm.graceSeconds: expected more than lameDuckSeconds and one second, for what is in flight',
  ],
  [
    'resources of a service that is not there',
    `${VALID}swarm:\n  resources:\n    indexes: {}\n`,
    'config/x.yml:12: swarm.resources.indexes: no such key; did you mean index?',
  ],
  [
    'memory without its unit',
    `${VALID}swarm:\n  resources:\n    index: { limits: { memory: "512" } }\n`,
    'config/x.yml:12: swarm.resources.index.limits.memory: expected a whole number with its unit: 512M, found "512"',
  ],
]

for (const [what, text, message] of WRONG) {
  test(`refuses ${what}, with file, line, key and what was expected`, () => {
    assert.is(problemOf(text), message)
  })
}

test('tells every problem at once, a line each', () => {
  assert.is(problemOf(`${VALID}colour: 1\nsize: 2\n`).split('\n').length, 2)
})

test('refuses an empty profile by naming what is missing', () => {
  assert.match(problemOf(''), 'config/x.yml:1: name: missing; expected text')
})

test('refuses a key that stands twice, and broken YAML, with their line', () => {
  assert.match(problemOf(`${VALID}name: again\n`), /^config\/x\.yml:10:1: Map keys must be unique/)
  assert.match(problemOf('name: [1'), /^config\/x\.yml:1:\d+: /)
})

test('says how to name another profile when the file cannot be read', async () => {
  try {
    await loadProfile('config/none.yml')
    assert.unreachable()
  } catch (error) {
    assert.match((error as LongshoreError).message, 'cannot read the profile config/none.yml')
    assert.match((error as LongshoreError).hint ?? '', '--profile')
  }
})

test('accepts the profiles that ship with the project', async () => {
  assert.is((await loadProfile(join(ROOT, 'config/local.yml'))).name, 'local')
  assert.is((await loadProfile(join(ROOT, 'config/reference.yml'))).name, 'reference')
})

test.run()
