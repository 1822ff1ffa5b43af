import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ROOT } from '../support/shared.ts'

test('tells how far it came, and how to go on, when it is ended early', async () => {
  const bodies = 10_000_000
  const args = [`${ROOT}bench/run.ts`, 'fuzz', '--bodies', String(bodies), '--seed', '7']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = text(child.stdout)
  const ended = once(child, 'exit')
  const [progress] = (await once(child.stderr, 'data')) as [Buffer]
  assert.match(progress.toString(), /^\d+ of 10000000 bodies/)
  child.kill('SIGINT')
  assert.equal(await ended, [0, null])
  const lines = (await output).trimEnd().split('\n')
  const done = JSON.parse(lines.at(-1)!.replace('RESULT ', '')).bodies as number
  assert.ok(done > 0 && done < bodies)
  assert.match(lines.at(-2)!, new RegExp(`--bodies ${bodies - done} --seed \\d+`))
})

test.run()
