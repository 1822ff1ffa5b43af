import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Content } from '../../lib/domain/made-service.ts'
import type { ServiceSpec } from '../../lib/domain/service.ts'
import { describeStack, parseStack } from '../../lib/domain/swarm-stack-document.ts'

const SPEC: ServiceSpec = {
  name: 'gateway',
  kind: 'gateway',
  replicas: 2,
  nodes: ['n1', 'n2'],
  generations: [{ name: 'dg_1', digest: 'sha256:1' }],
  settings: { MODEL: '{"price":"$5 and $$"}' },
}
const CONTENT: Content = {
  image: 'longshore:1',
  environment: { MODEL: '{"price":"$5 and $$"}' },
  deploy: { replicas: 2 },
}

test('a service of the document is known as the fleet’s, and by its spec', () => {
  const { services, networks } = describeStack([{ spec: SPEC, content: CONTENT }], 'demo') as Stack
  const { labels } = services.gateway.deploy
  assert.is(labels['longshore.fleet'], 'demo')
  assert.equal(JSON.parse(labels['longshore.spec']!.replaceAll('$$', '$')), SPEC)
  assert.equal(networks, { fleet: { external: true, name: 'longshore_demo' } })
})

test('dollars are written as docker reads them, and read as they were', () => {
  const document = describeStack([{ spec: SPEC, content: CONTENT }], 'demo')
  assert.is((document as Stack).services.gateway.environment.MODEL, '{"price":"$$5 and $$$$"}')
  assert.equal(parseStack(document), [{ spec: SPEC, content: CONTENT }])
})

test('a service under another name than its own is refused', () => {
  const { services } = describeStack([{ spec: SPEC, content: CONTENT }], 'demo') as Stack
  assert.throws(
    () => parseStack({ services: { index_0: services.gateway as unknown as Content } }),
    /index_0 has no label/,
  )
})

type Stack = Content & {
  readonly services: {
    readonly gateway: {
      readonly environment: Record<string, string>
      readonly deploy: { readonly labels: Record<string, string> }
    }
  }
}

test.run()
