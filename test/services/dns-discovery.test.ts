import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDnsDiscovery } from '../../services/gateway/dns-discovery.ts'
import { eventually } from '../support/eventually.ts'

test('finds every task of a service at the port of its kind', async () => {
  const { discovery, answers } = makeDiscovery()
  answers['tasks.demo_index_0'] = ['10.0.1.4', '10.0.1.3']
  answers['tasks.demo_extraction'] = ['10.0.1.9']
  assert.equal(discovery.endpointsOf('index_0'), [])
  await eventually(() => {
    assert.equal(discovery.endpointsOf('index_0'), ['http://10.0.1.3:14000', 'http://10.0.1.4:14000'])
    assert.equal(discovery.endpointsOf('extraction'), ['http://10.0.1.9:8501'])
  })
})

test('looks again at once when asked to', async () => {
  const { discovery, answers } = makeDiscovery()
  answers['tasks.demo_index_0'] = ['10.0.1.3']
  await eventually(() => assert.is(discovery.endpointsOf('index_0').length, 1))
  answers['tasks.demo_index_0'] = ['10.0.1.8']
  discovery.refresh()
  await eventually(() => assert.equal(discovery.endpointsOf('index_0'), ['http://10.0.1.8:14000']))
})

test('keeps what was known while look-ups fail, and says so once', async () => {
  const { discovery, answers, logged } = makeDiscovery()
  answers['tasks.demo_index_0'] = ['10.0.1.3']
  await eventually(() => assert.is(discovery.endpointsOf('index_0').length, 1))
  delete answers['tasks.demo_index_0']
  discovery.refresh()
  await eventually(() => assert.equal(logged, ['endpoints_unknown']))
  discovery.refresh()
  assert.equal(discovery.endpointsOf('index_0'), ['http://10.0.1.3:14000'])
  assert.equal(logged, ['endpoints_unknown'])
})

function makeDiscovery() {
  const answers: Record<string, string[]> = {}
  const logged: string[] = []
  const discovery = createDnsDiscovery({
    prefix: 'tasks.demo_',
    log: (event) => void logged.push(event),
    resolve: async (host) => {
      const found = answers[host]
      if (!found) throw new Error(`queryA ENOTFOUND ${host}`)
      return found
    },
  })
  return { discovery, answers, logged }
}

test.run()
