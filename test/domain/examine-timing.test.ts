import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { examineTiming, findStartTime, parseTaskTimes } from '../../lib/domain/examine-timing.ts'
import { assertFound, assertSound } from '../support/findings.ts'
import { readRecorded } from '../support/recorded.ts'

const TIMING = { deadlineSeconds: 60, healthSeconds: 1, monitorSeconds: 5, lameDuckSeconds: 2, replicas: 2 }
const start = (seconds: number, replicas = 1) => [{ service: 'index_0', seconds, replicas }]

test('reads from tasks how long the quickest took to become ready', () => {
  const [running, pending] = parseTaskTimes(readRecorded('docker-inspect-task.json'))
  assert.equal(findStartTime('extraction', [pending!]), [])
  const late = { ...running!, createdAt: '2026-11-20T00:00:00Z' }
  const [found] = findStartTime('extraction', [running!, late, pending!])
  assert.is(found!.seconds.toFixed(1), '3.6')
  assert.is(found!.replicas, 2)
})

test('is content with a deadline in which all tasks can be replaced', () => {
  assertSound(examineTiming(TIMING, []))
  assertSound(examineTiming(TIMING, start(10, 5)))
})

test('finds a deadline that is over before tasks can have started, by what they took before', () => {
  const findings = examineTiming(TIMING, start(20, 3))
  assertFound(
    findings,
    'fail',
    /3 tasks of index_0, each ready after 20\.0 s .* need 65 s/,
    /deadlineSeconds to 130/,
  )
})

test('finds a deadline that is over before a task is looked at', () => {
  assertFound(
    examineTiming({ ...TIMING, healthSeconds: 30 }, []),
    'fail',
    /a service, each ready after 30\.0 s/,
  )
})

test('finds a watch that ends before an ill task can be noticed', () => {
  assertFound(
    examineTiming({ ...TIMING, healthSeconds: 2 }, []),
    'warn',
    /5 s .* after 6 s/,
    /monitorSeconds/,
  )
})

test.run()
