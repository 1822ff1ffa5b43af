import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makePatchBeside } from '../../../lib/adapters/relay/make-patch-beside.ts'
import { type MakePatch, Patches } from '../../../lib/adapters/relay/patches.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import { refOf } from '../../../lib/domain/manifest.ts'
import { rejectsWith } from '../../support/errors.ts'
import { makeManifest } from '../../support/fakes/manifest.ts'
import { makeTempDir } from '../../support/temp.ts'

const NEVER = new AbortController().signal
const SEVEN = makeManifest('dg_7')
const EIGHT = makeManifest('dg_8')

function open(makePatch: MakePatch) {
  const root = makeTempDir()
  const generations = { read: async () => SEVEN, locate: (name: string) => join(root, name) }
  return { root, patches: new Patches({ generations, makePatch }) }
}

test('makes a patch once, whoever asks for it, and removes it in the end', async () => {
  let made = 0
  const { root, patches } = open(async ({ target }) => {
    made++
    await writeFile(target, 'patch')
    return { bytes: 5 }
  })
  const ask = () => patches.get(join(root, 'dg_8'), EIGHT, refOf(SEVEN), NEVER)
  const [first, second] = await Promise.all([ask(), ask()])
  assert.is(first, second)
  assert.is(made, 1)
  assert.is(first!.file.bytes, 5)
  assert.match(first!.file.path, /^\.patch-[0-9a-z]{1,16}$/)
  await patches.remove()
  assert.equal(readdirSync(root), [])
})

test('removes what a run left that died, and nothing of one that lives', async () => {
  const { root, patches } = open(async () => undefined)
  const names = ['.dg_8.patch-999999999-1', `.dg_8.patch-${process.ppid}-0`]
  for (const name of names) {
    mkdirSync(join(root, name))
    writeFileSync(join(root, name, '.patch-0'), 'left')
  }
  await patches.get(join(root, 'dg_8'), EIGHT, refOf(SEVEN), NEVER)
  await patches.remove()
  assert.equal(readdirSync(root), names.slice(1))
})

test('makes none from a base whose digest is another one here', async () => {
  const { root, patches } = open(async () => {
    throw new Error('a patch was made')
  })
  const base = { name: 'dg_7', digest: 'sha256:other' }
  assert.is(await patches.get(join(root, 'dg_8'), EIGHT, base, NEVER), undefined)
})

test('ends the thread that makes one when it is interrupted', async () => {
  const controller = new AbortController()
  const root = makeTempDir()
  const making = makePatchBeside({
    ...{
      directory: join(root, 'dg_8'),
      manifest: EIGHT,
      baseDirectory: join(root, 'dg_7'),
      baseManifest: SEVEN,
    },
    target: join(root, 'patch'),
    signal: controller.signal,
  })
  controller.abort(new LongshoreError('interrupted', 'interrupted'))
  await rejectsWith(making, 'interrupted')
})

test.run()
