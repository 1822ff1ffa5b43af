import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Backend, orderBackends, parseRouteTable } from '../../lib/domain/route-table.ts'

const backend = (name: string, weight: number): Backend => ({
  url: `http://${name}:1`,
  service: name,
  weight,
})
const [a, b] = [backend('a', 90), backend('b', 10)]
const nobody = () => false

test('each backend is asked first by its share of the weights', () => {
  assert.is(orderBackends([a, b], nobody, 0.5)[0], a)
  assert.is(orderBackends([a, b], nobody, 0.89)[0], a)
  assert.is(orderBackends([a, b], nobody, 0.91)[0], b)
  const firsts = Array.from({ length: 1000 }, (_, at) => orderBackends([a, b], nobody, at / 1000)[0])
  assert.is(firsts.filter((one) => one === b).length, 100)
})

test('whoever fails is followed by the others, and then asked again', () => {
  assert.equal(orderBackends([a, b], nobody, 0), [a, b, a])
  assert.equal(orderBackends([a], nobody, 0), [a, a])
})

test('a backend without weight answers only when the others do not', () => {
  const [all, none] = [backend('all', 100), backend('none', 0)]
  for (const chance of [0, 0.5, 0.999]) assert.is(orderBackends([none, all], nobody, chance)[0], all)
  assert.equal(
    orderBackends([none, all], (one) => one === all, 0),
    [none, all, none],
  )
})

test('one that is out is passed by, until all are', () => {
  assert.is(orderBackends([a, b], (one) => one === a, 0)[0], b)
  assert.is(orderBackends([a, b], () => true, 0)[0], a)
})

test('a table that is none is refused by the member that is wrong', () => {
  const route = (value: unknown) => JSON.stringify({ services: { s: value } })
  const cases: [string, RegExp][] = [
    ['{', /the whole: expected JSON/],
    ['[]', /services: expected an object/],
    [route({}), /services\.s\.backends/],
    [route({ backends: [] }), /services\.s\.backends/],
    [route({ backends: [{ ...a, weight: -1 }] }), /services\.s\.backends/],
    [route({ backends: [{ ...a, url: 'ftp://a' }] }), /services\.s\.backends/],
    [route({ backends: [{ ...a, url: 'http://a/path' }] }), /services\.s\.backends/],
    [route({ backends: [a], shadow: { ...b, sample: 2 } }), /services\.s\.shadow/],
    [JSON.stringify({ services: { S: { backends: [a] } } }), /lower case/],
    [JSON.stringify({ fallback: 7, services: {} }), /fallback/],
  ]
  for (const [text, problem] of cases) assert.throws(() => parseRouteTable(text, 'routes.json'), problem)
  const table = { fallback: 'http://a:1', services: { s: { backends: [a, b], shadow: { ...b, sample: 1 } } } }
  assert.equal(parseRouteTable(JSON.stringify(table), 'routes.json').fallback, 'http://a:1')
})

test.run()
