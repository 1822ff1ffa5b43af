import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createOwnServers } from '../../../lib/adapters/local/own-servers.ts'
import { EmbedError } from '../../../lib/ports/embedding-server.ts'
import { eventually } from '../../support/eventually.ts'
import { makeModel } from '../../support/generation.ts'
import { writeTextModel } from '../../support/onnx-model.ts'
import { ROOT } from '../../support/shared.ts'
import { makeTempDir } from '../../support/temp.ts'

const model = makeModel(4)
const entry = `${ROOT}services/main.ts`
const { signal } = new AbortController()
const contents = [{ kind: 'text', text: 'red' }] as const
const directory = writeTextModel(makeTempDir(), {
  words: ['red'],
  dimensions: 4,
  valueAt: (token) => token + 1,
})
const asked = { model, timeoutMs: 5_000, settings: { MODEL_DIR: directory, DEVICE: 'cpu' } }
const childrenOf = async (pid: number) =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean)

test('embeds by a process that is there until it is closed, one for all who ask for the same', async () => {
  const servers = createOwnServers({ state: makeTempDir(), entry })
  const before = await childrenOf(process.pid)
  const server = servers.open(asked)
  assert.is(servers.open(asked), server)
  assert.equal(await childrenOf(process.pid), before)
  assert.is(await server.findProblem(signal), undefined)
  assert.is((await server.describe(signal)).device, 'cpu')
  const { vectors } = await server.embed(contents, signal)
  for (const value of vectors) assert.ok(Math.abs(value - 0.5) < 1e-6, `${vectors}`)
  assert.is((await childrenOf(process.pid)).length, before.length + 1)
  await servers.close()
  assert.equal(await childrenOf(process.pid), before)
})

test('tells in its own words why it cannot embed', async () => {
  const servers = createOwnServers({ state: makeTempDir(), entry })
  const server = servers.open({ ...asked, settings: { MODEL_DIR: makeTempDir() } })
  const error = await server.embed(contents, signal).catch((thrown: unknown) => thrown)
  assert.instance(error, EmbedError)
  assert.is((error as EmbedError).fault, 'stop')
  assert.match((error as EmbedError).message, /there is no model lexical-hash@1/)
  await servers.close()
})

test('leaves no process behind when the command is killed', async () => {
  const script = `
    import { createOwnServers } from '${ROOT}lib/adapters/local/own-servers.ts'
    const servers = createOwnServers(${JSON.stringify({ state: makeTempDir(), entry })})
    await servers.open(${JSON.stringify(asked)}).embed(${JSON.stringify(contents)}, new AbortController().signal)
    console.log('embedded')
  `
  const command = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(command.stdout!, 'data')
  const [child] = await childrenOf(command.pid!)
  assert.ok(child)
  command.kill('SIGKILL')
  await eventually(() => assert.not(existsSync(`/proc/${child}/exe`)))
})

test.run()
