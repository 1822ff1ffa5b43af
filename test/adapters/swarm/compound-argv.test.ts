import { execa } from 'execa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eachArgv, thenArgv } from '../../../lib/adapters/swarm/compound-argv.ts'

test('a command is run for the ids that another one lists', async () => {
  assert.equal(await run(eachArgv(['echo', 'inspect', 'a b'], ['echo', 'id1 \n id2'])), {
    exitCode: 0,
    stdout: 'inspect a b id1 id2',
    stderr: '',
  })
})

test('a command is not run where nothing is listed', async () => {
  assert.equal(await run(eachArgv(['echo', 'inspect'], ['true'])), { exitCode: 0, stdout: '', stderr: '' })
})

test('a list that fails is told, with what it did list and what was said of that', async () => {
  const list = ['sh', '-c', 'echo id1; echo no such service: x >&2; exit 7']
  const { exitCode, stdout, stderr } = await run(eachArgv(['echo', 'inspect'], list))
  assert.equal([exitCode, stdout, stderr], [7, 'inspect id1', 'no such service: x'])
})

test('a command that fails for what was listed is told', async () => {
  assert.is((await run(eachArgv(['false'], ['echo', 'id1']))).exitCode, 1)
})

test('a command that is followed by another reads what is given, and both print', async () => {
  const { exitCode, stdout } = await run(thenArgv(['cat', '-'], ['echo', "it's", 'done']))
  assert.equal([exitCode, stdout], [0, "given\nit's done"])
})

test('nothing follows a command that failed', async () => {
  const { exitCode, stdout } = await run(thenArgv(['sh', '-c', 'exit 3'], ['echo', 'done']))
  assert.equal([exitCode, stdout], [3, ''])
})

test.run()

async function run([program, ...args]: readonly string[]) {
  const { exitCode, stdout, stderr } = await execa(program!, args, { input: 'given\n', reject: false })
  return { exitCode, stdout, stderr }
}
