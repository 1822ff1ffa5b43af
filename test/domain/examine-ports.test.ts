import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { examinePorts, isListening, type PortReport } from '../../lib/domain/examine-ports.ts'
import { assertFound, assertSound } from '../support/findings.ts'
import { readRecorded } from '../support/recorded.ts'

const NEEDS = { port: 14005, gateway: 'shop_gateway', meshed: [] }
const examine = (report: Partial<PortReport>, needs: Partial<typeof NEEDS> = {}) =>
  examinePorts([{ name: 'n2', isTaken: true, containers: [], ...report }], { ...NEEDS, ...needs })

test('reads from the kernel’s table who listens, and takes no connection for a listener', () => {
  const table = readRecorded('proc-net-tcp.txt')
  assert.ok(isListening(table, 14005))
  assert.ok(isListening(table, 22))
  assert.not(isListening(table, 0xc256))
  assert.not(isListening(table, 80))
})

test('is content with a free port, and with our own gateway on it', () => {
  assertSound(examine({ isTaken: false }))
  assertSound(examine({ containers: [{ name: 'shop_gateway.1.x', service: 'shop_gateway' }] }))
  assertSound(
    examinePorts([{ name: 'n2', isTaken: true, containers: [] }], { ...NEEDS, meshed: ['shop_gateway'] }),
  )
})

test('finds a container, a service or a process that has it', () => {
  const container = examine({ containers: [{ name: 'web', service: null }] })
  assertFound(container, 'fail', /14005 on n2 is taken by the container web$/, /gateway\.port/)
  const service = examine({ containers: [{ name: 'web.1.x', service: 'web' }] })
  assertFound(service, 'fail', /container web\.1\.x of the service web$/)
  assertFound(examine({}), 'fail', /14005 on n2 is taken by a process/, /ss -ltnp/)
})

test('looks at nothing where any port will do', () => {
  assert.equal(examine({}, { port: 0 }), [])
})

test.run()
