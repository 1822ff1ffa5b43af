import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createReporter } from '../../lib/cli/reporters/choose.ts'
import { createContext } from '../../lib/cli/wire.ts'
import { EMPTY_RECORD } from '../../lib/domain/record.ts'
import { makeTempDir } from '../support/temp.ts'

const directory = makeTempDir()
mkdirSync(join(directory, 'config'))
writeFileSync(
  join(directory, 'config/x.yml'),
  `name: x
state: ${join(directory, 'state')}
generations: ${join(directory, 'dgs')}
nodes: [{ name: node-1 }]
model: { name: lexical-hash, version: "1", dimensions: 64, metric: cosine, normalized: true }
`,
)

const SETTINGS = {
  reporter: createReporter({ json: false, quiet: true, stream: process.stderr }),
  signal: new AbortController().signal,
  owner: 'somebody@somewhere 1',
  dryRun: false,
  confirm: async () => undefined,
}

test('gives flows everything that they may touch, by the profile', async () => {
  const { context, close } = await createContext({
    ...SETTINGS,
    profileFile: join(directory, 'config/x.yml'),
  })
  const { profile, generations, transport, orchestrator, state, embedder, signal } = context
  assert.is(profile.name, 'x')
  assert.equal(await generations.list(), [])
  assert.equal(await state.read(), EMPTY_RECORD)
  assert.equal((await transport.inspect('node-1', signal)).generations, [])
  assert.equal(await orchestrator.observe(signal), [])
  assert.is((await embedder.embed(['a text'], signal)).length, 64)
  await close()
})

test('leaves nothing on disk by being made', () => {
  assert.equal(readdirSync(directory), ['config'])
})

test('reaches the nodes of a Swarm over SSH, and says at the first use what is wrong with the keys', async () => {
  const profile = `name: y
engine: swarm
nodes: [{ name: node-1, host: 127.0.0.1 }]
ssh: { knownHostsFile: ${join(directory, 'no-known-hosts')} }
swarm: { managers: [node-1], image: longshore:1 }
model: { name: lexical-hash, version: "1", dimensions: 64, metric: cosine, normalized: true }
`
  writeFileSync(join(directory, 'config/swarm.yml'), profile)
  const profileFile = join(directory, 'config/swarm.yml')
  const { context, close } = await createContext({ ...SETTINGS, profileFile })
  try {
    assert.ok(context.shell)
    await context.state.read()
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, 'ssh.knownHostsFile: ')
  } finally {
    await close()
  }
})

test('refuses a wrong profile before anything is touched', async () => {
  writeFileSync(join(directory, 'config/y.yml'), 'name: y\n')
  try {
    await createContext({ ...SETTINGS, profileFile: join(directory, 'config/y.yml') })
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, 'nodes: missing; expected a list')
  }
})

test.run()
