import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { examineSshd, parseSshd } from '../../lib/domain/examine-sshd.ts'
import { assertFound, assertSound } from '../support/findings.ts'
import { readRecorded } from '../support/recorded.ts'

const report = parseSshd('n2', readRecorded('sshd-t.txt'))!

test('reads the limits that sshd prints, and says nothing where it prints none', () => {
  assert.equal(report, { name: 'n2', maxSessions: 10, maxStartups: 10 })
  assert.is(parseSshd('n2', 'sshd: no hostkeys available -- exiting.'), null)
})

test('is content where the profile asks for no more', () => {
  assertSound(examineSshd([report], { maxChannels: 8, maxStarting: 8 }))
})

test('finds limits below what the profile asks for', () => {
  const findings = examineSshd([{ ...report, maxSessions: 4, maxStartups: 2 }], {
    maxChannels: 8,
    maxStarting: 8,
  })
  assertFound(findings, 'warn', /n2 allows 4 sessions/, /ssh\.maxChannels to 4/)
  assertFound(findings, 'warn', /n2 drops log-ins beyond 2/, /ssh\.maxStarting to 2/)
})

test.run()
