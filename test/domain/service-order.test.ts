import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { planOrder } from '../../lib/domain/service-order.ts'

const source = {
  ...{ name: 'one', description: 'cats', mllib: 'caffe', type: 'supervised', repository: '/dev/cats' },
  parameters: {
    input: { connector: 'image', mean_file: '/dev/cats/mean.binaryproto', other: '/dev/cats-too/x' },
    mllib: { nclasses: 2, template: 'resnet', finetuning: true, weights: '/dev/base.caffemodel' },
    output: {},
  },
}
const facts = {
  source,
  from: '/dev/cats',
  to: '/prod/cats',
  given: {},
  files: ['deploy.prototxt', 'w.caffemodel'],
}

test('what would put a new network in the place of the copied one never goes along', () => {
  const { order, notes } = planOrder(facts)
  assert.equal(order.parameters.mllib, { nclasses: 2 })
  assert.equal(order.model, { repository: '/prod/cats' })
  assert.is(notes.filter((note) => /is left out: it would overwrite the network/.test(note)).length, 3)
})

test('paths in the repository are mapped, and no others', () => {
  const { order, notes } = planOrder(facts)
  assert.equal(order.parameters.input, {
    connector: 'image',
    mean_file: '/prod/cats/mean.binaryproto',
    other: '/dev/cats-too/x',
  })
  assert.ok(notes.includes('paths below /dev/cats become paths below /prod/cats'))
})

test('a template that the operator gives is refused where the repository holds a network', () => {
  const given = { mllib: { template: 'mlp' } }
  for (const file of ['w.caffemodel', 'deploy.prototxt', 'a/net.pt', 'model.onnx', 'frozen.pb']) {
    assert.throws(
      () => planOrder({ ...facts, given, files: [file] }),
      (error: { kind: string; message: string }) =>
        error.kind === 'gate' && error.message.includes(`holds a network (${file})`),
    )
  }
  const { order } = planOrder({ ...facts, given, files: ['corresp.txt'] })
  assert.is(order.parameters.mllib.template, 'mlp')
})

test('what the profile gives takes the place of what the source has', () => {
  const { order } = planOrder({ ...facts, given: { mllib: { nclasses: 3, gpu: true } } })
  assert.equal(order.parameters.mllib, { nclasses: 3, gpu: true })
})

test('a source that tells no parameters is created with those of the profile alone', () => {
  const { parameters: _untold, ...old } = source
  const { order } = planOrder({ ...facts, source: old, given: { input: { connector: 'image' } } })
  assert.equal(order.parameters, { input: { connector: 'image' }, mllib: {}, output: {} })
})

test.run()
