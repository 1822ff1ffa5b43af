import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compareVersions, parseDocker } from '../../lib/domain/engine-report.ts'
import { examineEngines } from '../../lib/domain/examine-engines.ts'
import { assertFound, assertSound } from '../support/findings.ts'
import { readRecorded } from '../support/recorded.ts'

const done = (stdout: string) => ({ code: 0, stdout, stderr: '' })
const failed = (stderr: string, code = 1) => ({ code, stdout: '{"Server":null}\n', stderr })
const VERSION = readRecorded('docker-version.json')
const INFO = done(readRecorded('docker-info.json'))
const examine = (docker: ReturnType<typeof parseDocker>) =>
  examineEngines([{ name: 'n2', user: 'carrier', docker }])

test('reads version, architecture and membership from what docker prints', () => {
  assert.equal(parseDocker(done(VERSION), INFO), {
    version: '20.10.24+dfsg1',
    apiVersion: '1.41',
    architecture: 'amd64',
    swarm: { nodeId: 'drccse8khzygetik6x2i6snhn', state: 'active', isManager: false },
  })
  assertSound(examine(parseDocker(done(VERSION), INFO)))
})

test('finds an engine that is too old, and says which version is needed', () => {
  const old = VERSION.replaceAll('"ApiVersion": "1.41"', '"ApiVersion": "1.40"')
  assertFound(
    examine(parseDocker(done(old), INFO)),
    'fail',
    /n2 speaks version 1\.40 .* need 1\.41/,
    /20\.10 or newer on n2/,
  )
})

test('finds a command that is older than its engine', () => {
  const { Server } = JSON.parse(VERSION)
  const mixed = JSON.stringify({ Client: { ApiVersion: '1.9' }, Server })
  assertFound(examine(parseDocker(done(mixed), INFO)), 'fail', /version 1\.9 /)
  assert.ok(compareVersions('1.9', '1.41') < 0)
})

test('finds a user who may not run docker', () => {
  const denied = failed(
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock',
  )
  assertFound(
    examine(parseDocker(denied, denied)),
    'fail',
    /n2: carrier may not run docker: permission denied/,
    /usermod -aG docker carrier on n2/,
  )
})

test('finds an engine that does not run, and a machine without docker', () => {
  const down = failed(
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
  )
  assertFound(examine(parseDocker(down, down)), 'fail', /engine of n2 does not answer/, /systemctl start/)
  const absent = failed('sh: 1: exec: docker: not found', 127)
  assertFound(examine(parseDocker(absent, absent)), 'fail', /n2 has no docker/, /install Docker/)
})

test('tells words that are no JSON as what they are', () => {
  assertFound(examine(parseDocker(done('Welcome!'), INFO)), 'fail', /printed no JSON/)
})

test.run()
