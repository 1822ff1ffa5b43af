import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ROOT } from '../support/shared.ts'
import { makeTempDir } from '../support/temp.ts'
import { bringImage } from './lab/image.ts'
import { type Lab, startLab } from './lab/lab.ts'
import { run } from './lab/quiet.ts'
import { makeState } from './lab/state.ts'

const STUB = 'longshore/stub:1'

let lab: Lab
let hasFailed = true

test.before(async () => {
  lab = await startLab({ state: makeState(), nodes: 2 })
  await buildStub(await bringImage(lab))
})
test.after(async () => {
  await lab.stop({ hasFailed })
})

test('the engine keeps all promises of its ports on a real Swarm', async () => {
  // What a file promises without a Swarm is among them: it has to pass more tests than that.
  const least = { orchestrator: 20, stack: 10, 'state-store': 30 }
  const engines = lab.nodes.map(({ name, socket }) => `${name}=unix://${socket}`).join(',')
  // One after the other: their deadlines are for a Swarm that has nothing else to do.
  for (const [name, count] of Object.entries(least)) {
    const { exitCode, stdout } = await execa(process.execPath, [`test/adapters/swarm/${name}.test.ts`], {
      cwd: ROOT,
      env: { LONGSHORE_SWARM_ENGINES: engines },
      reject: false,
    })
    assert.is(exitCode, 0, stdout)
    const [passed, tookMs] = [/Passed: +(\d+)/, /Duration: +(\d+)/].map((sum) =>
      Number(sum.exec(stdout)?.[1]),
    )
    console.log(`${name}: ${passed} promises in ${tookMs} ms`)
    assert.ok(passed! > count, `${name}: only ${passed} tests ran`)
  }
  hasFailed = false
})

test.run()

/** Makes the image of services that fail as they are told, on every node, and the directory that they are given. */
async function buildStub(image: string): Promise<void> {
  const directory = makeTempDir()
  await writeFile(join(directory, 'Dockerfile'), `FROM ${image}\nCOPY stub.ts services/\n`)
  await cp(`${ROOT}test/adapters/swarm/stub-service.ts`, join(directory, 'stub.ts'))
  await run`chmod a+r ${join(directory, 'stub.ts')}`
  await Promise.all(
    lab.nodes.map(async ({ name, socket }) => {
      await run`docker --host ${`unix://${socket}`} build --quiet --tag ${STUB} ${directory}`
      await lab.exec(name, ['mkdir', '-p', '/tmp/indices'])
    }),
  )
}
