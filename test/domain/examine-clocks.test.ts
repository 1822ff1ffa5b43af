import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { examineClocks } from '../../lib/domain/examine-clocks.ts'
import { assertFound, assertSound } from '../support/findings.ts'

const LIMITS = { failMs: 30_000 }
const report = (name: string, skewMs: number, errorMs = 20) => ({ name, skewMs, errorMs })

test('is content with clocks that agree with ours', () => {
  assertSound(examineClocks([report('n1', 3), report('n2', -40), report('n3', 1900)], LIMITS))
})

test('finds the one clock that is off, and by how much', () => {
  const findings = examineClocks([report('n1', 0), report('n2', 5_400), report('n3', 10)], LIMITS)
  assert.is(findings.length, 1)
  assertFound(findings, 'warn', /clock of n2 is 5\.40 s ahead of/, /chrony/)
})

test('calls it a failure beyond the time of a lease', () => {
  const clocks = [report('n1', 0), report('n2', -3_600_000), report('n3', 10)]
  assertFound(examineClocks(clocks, LIMITS), 'fail', /n2 is 3600 s behind/)
})

test('blames this machine where the nodes agree with each other', () => {
  const clocks = [report('n1', 60_000), report('n2', 60_020), report('n3', 59_990)]
  const findings = examineClocks(clocks, LIMITS)
  assert.is(findings.length, 1)
  assertFound(findings, 'fail', /clock of this machine is 60 s behind/)
})

test('blames nothing that the time of asking may explain', () => {
  assertSound(examineClocks([report('n1', 3_500, 3_000), report('n2', 0)], LIMITS))
})

test('with a single node, believes our own clock', () => {
  assertFound(examineClocks([report('n1', -9_000)], LIMITS), 'warn', /clock of n1 is 9\.00 s behind/)
})

test.run()
