import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeGeneration } from '../support/generation.ts'
import { call, renderRefs, type ServiceProcess, startService } from '../support/services.ts'
import { ROOT } from '../support/shared.ts'
import { makeTempDir } from '../support/temp.ts'

const DIMENSIONS = 8
const directory = makeTempDir()
const manifest = await makeGeneration(directory, { dimensions: DIMENSIONS })
const question = {
  generation: manifest.generation,
  vectors: Array.from({ length: 50 }, () => new Array<number>(DIMENSIONS).fill(0.1)),
  k: 100,
}

const startIndex = (way: string) =>
  startService('index', {
    DATA_DIR: directory,
    CLUSTER: '0',
    GENERATIONS: renderRefs([manifest]),
    THREADS: '2',
    CRASH: way,
    NODE_OPTIONS: `--import file://${ROOT}test/support/crash-thread.mjs --max-old-space-size=200`,
  })

const failed = (reason: string) => new RegExp(`"event":"failed".*a thread has ended.*${reason}`)
const REASONS: Readonly<Record<string, RegExp>> = {
  throw: failed('crashed on purpose'),
  exit: failed('exit code 0'),
  memory: failed('memory limit'),
}

/** Fails with what the service has said, rather than never. */
async function failLate({ log }: ServiceProcess): Promise<never> {
  await wait(60_000, undefined, { ref: false })
  throw new Error(`the service goes on: ${log()}`)
}

for (const way of Object.keys(REASONS)) {
  for (const isBusy of [false, true]) {
    const when = isBusy ? 'while it searches' : 'while nothing is asked'
    test(`ends with a clear line and an exit code when a searching thread crashes by ${way} ${when}`, async () => {
      const service = await startIndex(way)
      const { url } = service
      assert.is((await call(`${url}/v1/search`, question)).status, 200)
      const ended = once(service.process, 'exit')
      service.process.kill('SIGUSR2')
      const asked = isBusy ? Array.from({ length: 20 }, () => call(`${url}/v1/search`, question)) : []
      const answers = Promise.allSettled(asked)
      const [code, signal] = await Promise.race([ended, failLate(service)])
      assert.equal([code, signal], [1, null], service.log())
      assert.match(service.log(), REASONS[way]!)
      // A broken connection is asked again elsewhere; a status 500 would be told to the client.
      for (const answer of await answers) {
        assert.ok(answer.status === 'rejected' || answer.value.status === 200)
      }
    })
  }
}

test.run()
