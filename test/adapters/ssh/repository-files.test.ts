import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createRepositories } from '../../../lib/adapters/ssh/repositories.ts'
import { createSshShell } from '../../../lib/adapters/ssh/shell.ts'
import { raised } from '../../support/raised.ts'
import { settingsFor, startSshd } from '../../support/sshd.ts'
import { makeTempDir } from '../../support/temp.ts'

const { signal } = new AbortController()
const MIB = 1024 * 1024
const endings: (() => Promise<void> | void)[] = []

test.after.each(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function makeNode(bytes: number) {
  const sshd = await startSshd()
  const shell = createSshShell(settingsFor(sshd))
  endings.push(
    () => sshd.stop(),
    () => shell.close(),
  )
  const from = join(makeTempDir(), 'source')
  mkdirSync(join(from, 'a/b/c'), { recursive: true })
  writeFileSync(join(from, 'net.pt'), Buffer.alloc(bytes, 'abcdefg'))
  writeFileSync(join(from, 'a/b/c/some labels.txt'), 'cat')
  const home = makeTempDir()
  const repositories = createRepositories({ shell, operationTimeoutMs: 10_000 })
  const place = { node: 'node-1', directory: join(home, 'target') }
  return { sshd, repositories, from, home, place, files: await repositories.list(from, signal) }
}

test('copies any files to a node, however deep, and finds them whole there', async () => {
  const { repositories, from, home, place, files } = await makeNode(1000)
  assert.is(await repositories.inspect(place, files, signal), 'absent')
  assert.is(await repositories.copy(from, place, files, { signal, onBytes: () => undefined }), 1003)
  assert.is(await repositories.inspect(place, files, signal), 'whole')
  assert.equal(readdirSync(home), ['target'])
  assert.is(readFileSync(join(place.directory, 'a/b/c/some labels.txt'), 'utf8'), 'cat')
  writeFileSync(join(place.directory, 'more.txt'), '')
  assert.is(await repositories.inspect(place, files, signal), 'other')
})

test('continues in the middle of a file when the connection was lost while it came', async () => {
  const { sshd, repositories, from, home, place, files } = await makeNode(24 * MIB)
  let arrived = 0
  let stopped: Promise<void> | undefined
  const onBytes = (bytes: number) => {
    arrived += bytes
    if (arrived > 12 * MIB) stopped ??= sshd.stop()
  }
  await raised('remote', repositories.copy(from, place, files, { signal, onBytes }))
  assert.equal(readdirSync(home), ['.target.partial'])
  await stopped
  await sshd.start()
  const sent = await repositories.copy(from, place, files, { signal, onBytes: () => undefined })
  assert.ok(sent > 0 && sent < 20 * MIB, `${sent} bytes were sent the second time`)
  assert.is(await repositories.inspect(place, files, signal), 'whole')
})

test('a node is refused where the engine has none, and so is a path that is not absolute', async () => {
  const local = createRepositories({ shell: undefined, operationTimeoutMs: 1000 })
  const error = await raised(
    'usage',
    Promise.resolve().then(() => local.inspect({ node: 'n', directory: '/x' }, [], signal)),
  )
  assert.match(error.hint ?? '', 'leave target.node out')
  const { repositories } = await makeNode(1)
  const relative = { node: 'node-1', directory: 'models/x' }
  await raised(
    'usage',
    Promise.resolve().then(() => repositories.inspect(relative, [], signal)),
  )
})

test.run()
