import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { copyFiles, inspectFiles, listFiles } from '../../../lib/adapters/local/repository-files.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import { raised } from '../../support/raised.ts'
import { makeTempDir } from '../../support/temp.ts'

const { signal } = new AbortController()
const onBytes = () => undefined

function makeRepository(): string {
  const directory = join(makeTempDir(), 'source')
  mkdirSync(join(directory, 'a/b'), { recursive: true })
  writeFileSync(join(directory, 'net.pt'), Buffer.alloc(3_000_000, 1))
  writeFileSync(join(directory, 'a/b/some labels.txt'), 'cat')
  writeFileSync(join(directory, 'zebra.json'), '{}')
  return directory
}

test('copies any files, however deep, and finds them whole there', async () => {
  const from = makeRepository()
  const to = join(makeTempDir(), 'x/target')
  const files = await listFiles(from, signal)
  assert.equal(
    files.map(({ path }) => path),
    ['a/b/some labels.txt', 'net.pt', 'zebra.json'],
  )
  assert.is(await inspectFiles(to, files, signal), 'absent')
  assert.is(await copyFiles(from, to, files, { signal, onBytes }), 3_000_005)
  assert.is(await inspectFiles(to, files, signal), 'whole')
  assert.equal(readdirSync(join(to, '..')), ['target'])
  writeFileSync(join(to, 'zebra.json'), '[]')
  assert.is(await inspectFiles(to, files, signal), 'other')
})

test('a copy that breaks off shows nothing, and the next one sends only what is missing', async () => {
  const from = makeRepository()
  const to = join(makeTempDir(), 'target')
  const files = await listFiles(from, signal)
  const breaking = new AbortController()
  let seen = 0
  const stop = (bytes: number) => {
    seen += bytes
    if (seen > 1_500_000) breaking.abort(new LongshoreError('interrupted', 'stopped'))
  }
  await raised('interrupted', copyFiles(from, to, files, { signal: breaking.signal, onBytes: stop }))
  assert.not(existsSync(to))
  assert.is(await copyFiles(from, to, files, { signal, onBytes }), 3_000_002)
  assert.is(await inspectFiles(to, files, signal), 'whole')
})

test('a file that changes while it is copied is found, and nothing is published', async () => {
  const from = makeRepository()
  const to = join(makeTempDir(), 'target')
  const files = await listFiles(from, signal)
  writeFileSync(join(from, 'zebra.json'), '[]')
  await raised('corrupt', copyFiles(from, to, files, { signal, onBytes }))
  assert.not(existsSync(to))
})

test('links and missing directories are refused', async () => {
  const from = makeRepository()
  symlinkSync('/etc/passwd', join(from, 'link'))
  await raised('corrupt', listFiles(from, signal))
  await raised('not-found', listFiles(join(from, 'nowhere'), signal))
})

test('memory does not grow with the size of a file', async () => {
  const from = join(makeTempDir(), 'source')
  mkdirSync(from)
  const block = Buffer.alloc(10_000_000, 3)
  for (let part = 0; part < 20; part++) writeFileSync(join(from, 'net.pt'), block, { flag: 'a' })
  const before = process.memoryUsage().rss
  let most = before
  const watch = () => {
    most = Math.max(most, process.memoryUsage().rss)
  }
  const files = await listFiles(from, signal)
  const to = join(makeTempDir(), 'target')
  await copyFiles(from, to, files, { signal, onBytes: watch })
  assert.is(statSync(join(to, 'net.pt')).size, 200_000_000)
  assert.ok(most - before < 100_000_000, `${most - before} bytes`)
  assert.is(readFileSync(join(to, 'net.pt')).length, 200_000_000)
})

test.run()
