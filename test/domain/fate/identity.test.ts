import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Identity, planIdentity } from '../../../lib/domain/fate/identity.ts'
import {
  changePipeline,
  type Pipeline,
  parsePipeline,
  readInitiator,
  readRoles,
} from '../../../lib/domain/fate/pipeline.ts'
import { parseFields, renderFields } from '../../../lib/domain/fate/wire-format.ts'
import { message } from '../../support/fate.ts'

const IDENTITY: Identity = {
  modelId: 'guest-99#host-100#model',
  version: 'v2',
  roles: { guest: [99], host: [100] },
  initiator: { role: 'guest', id: 99 },
}

function pipelineOf(conf: object, fateVersion = '1.11.4', parentInfo: object = {}): Pipeline {
  return parsePipeline(
    message(
      [3, JSON.stringify(conf)],
      [4, fateVersion],
      [5, 'guest-9999#host-10000#model'],
      [13, JSON.stringify({ job_parameters: { kept: 1 } })],
      [14, JSON.stringify(parentInfo)],
    ),
  )
}

const confOf = (changes: { trainRuntimeConf?: string | number }) =>
  JSON.parse(String(changes.trainRuntimeConf))
const MODEL = { model_id: 'guest-99#host-100#model', model_version: 'v2' }

test('the second version of the DSL keeps the identity under common', () => {
  const conf = { dsl_version: 2, job_parameters: { common: { a: 1 }, b: 2 }, other: [1.5] }
  assert.equal(confOf(planIdentity(pipelineOf(conf), IDENTITY, 'strict')), {
    ...{ dsl_version: 2, other: [1.5], job_parameters: { common: { a: 1, ...MODEL }, b: 2 } },
    ...{ role: { guest: [99], host: [100] }, initiator: { role: 'guest', party_id: 99 } },
  })
})

test('the first version keeps it in the parameters; the original leaves an empty common behind', () => {
  const pipeline = pipelineOf({ job_parameters: { a: 1 } })
  assert.equal(confOf(planIdentity(pipeline, IDENTITY, 'strict')).job_parameters, { a: 1, ...MODEL })
  const { job_parameters: parameters } = confOf(planIdentity(pipeline, IDENTITY, 'compat'))
  assert.equal(parameters, { a: 1, common: {}, ...MODEL })
})

test('the original tells the initiator from 1.5.1 on, and leaves roles stale in 1.5 to 1.8', () => {
  const fieldsOf = (version: string, mode: 'compat' | 'compat-1.8') =>
    Object.keys(planIdentity(pipelineOf({ dsl_version: 2 }, version), IDENTITY, mode)).sort()
  const least = ['modelId', 'modelVersion', 'trainRuntimeConf']
  const initiator = ['initiatorPartyId', 'initiatorRole']
  assert.equal(fieldsOf('1.5.0', 'compat-1.8'), least)
  assert.equal(fieldsOf('1.5.1', 'compat-1.8'), [...initiator, ...least])
  assert.equal(fieldsOf('1.9.0', 'compat'), [
    ...initiator,
    'modelId',
    'modelVersion',
    'roles',
    'runtimeConfOnParty',
    'trainRuntimeConf',
  ])
})

test('a parent that is the model itself moves with it, another one stays', () => {
  const parentOf = (id: string) =>
    planIdentity(
      pipelineOf({ dsl_version: 2 }, '1.11.4', { parent_model_id: id, kept: true }),
      IDENTITY,
      'strict',
    ).parentInfo
  assert.is(parentOf('guest-9999#host-10000#model'), `{"parent_model_id": "${MODEL.model_id}", "kept": true}`)
  assert.is(parentOf('guest-1#model'), undefined)
})

test('a pipeline keeps every byte of what is not changed, unknown fields too, and gets what it lacks', () => {
  const before = message([99, 'unknown'], [5, 'old'], [2, '{"x": 1}'], [8, 7])
  const after = changePipeline(before, { modelId: 'new', initiatorPartyId: 99 })
  const [unknown, , dsl, loaded] = parseFields(before)
  assert.equal(
    after,
    renderFields([
      unknown!,
      ...parseFields(message([5, 'new'])),
      dsl!,
      loaded!,
      ...parseFields(message([12, 99])),
    ]),
  )
})

test('roles and initiator are those of the training', () => {
  const conf = { role: { guest: [1], host: ['2', 3] }, initiator: { role: 'guest', party_id: '1' } }
  assert.equal(readRoles(pipelineOf(conf)), { guest: [1], host: [2, 3] })
  assert.equal(readInitiator(pipelineOf(conf)), { role: 'guest', id: 1 })
  assert.throws(() => readRoles(pipelineOf({ role: { guest: ['x'] } })), /no number/)
})

test.run()
