import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createManager } from '../../../lib/adapters/swarm/docker-client.ts'
import { fenceArgv, OVERTAKEN } from '../../../lib/adapters/swarm/fence.ts'
import { rejectsWith } from '../../support/errors.ts'
import { makeTempDir } from '../../support/temp.ts'

const signal = new AbortController().signal

test('a change is made while no newer lock stands, with what it reads', async () => {
  const { exitCode, stdout } = await change(7, { locks: '5\n\n7\n' })
  assert.equal([exitCode, stdout], [0, 'stack deploy demo, given: a stack'])
})

test('a change under an older lock is not made', async () => {
  const { exitCode, stdout } = await change(7, { locks: '7\n8\n' })
  assert.equal([exitCode, stdout], [OVERTAKEN, ''])
})

test('a change is not made where the locks cannot be read', async () => {
  const { exitCode, stdout } = await change(7, { locks: '', fails: true })
  assert.equal([exitCode, stdout], [1, ''])
})

test('without a lock there is nothing to ask for', () => {
  assert.equal(fenceArgv(['docker', 'ps'], { fleet: 'demo', number: 0 }), ['docker', 'ps'])
})

test('an overtaken change is told as a lost lock, naming what was not run', async () => {
  const shell = {
    run: async () => ({ code: OVERTAKEN, stdout: '', stderr: '' }),
    close: async () => undefined,
  }
  const fence = { fleet: 'demo', number: 7 }
  const work = createManager(shell, ['n1']).run(['stack', 'deploy', 'demo'], { signal, fence })
  await rejectsWith(work, 'locked', /newer lock.*docker stack deploy was not run/)
})

test.run()

/** Runs a change as a node would, whose docker knows these locks and otherwise tells what it was asked for. */
async function change(number: number, { locks, fails = false }: { locks: string; fails?: boolean }) {
  const directory = makeTempDir()
  const docker = join(directory, 'docker')
  writeFileSync(join(directory, 'locks'), locks)
  writeFileSync(
    docker,
    `#!/bin/sh
[ "$1" != config ] || { cat ${directory}/locks; exit ${fails ? 1 : 0}; }
echo "$*, given: $(cat)"`,
  )
  chmodSync(docker, 0o755)
  const [program, ...args] = fenceArgv(['docker', 'stack', 'deploy', 'demo'], { fleet: 'demo', number })
  const env = { PATH: `${directory}:${process.env.PATH}` }
  return await execa(program!, args, { env, input: 'a stack', reject: false })
}
