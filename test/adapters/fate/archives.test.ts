import { createWriteStream, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ZipFile } from 'yazl'
import { emptyMeta, parseMeta } from '../../../lib/adapters/fate/define-meta.ts'
import { createDraft } from '../../../lib/adapters/fate/draft.ts'
import { putAway } from '../../../lib/adapters/fate/move-all.ts'
import { openArchive } from '../../../lib/adapters/fate/open-archive.ts'
import { openDirectory } from '../../../lib/adapters/fate/open-directory.ts'
import { rejectsWith } from '../../support/errors.ts'
import { mountSmallDisk } from '../../support/small-disk.ts'
import { makeTempDir } from '../../support/temp.ts'

/** A zip archive of one entry, whose name is put over `renamed` of the same length: writers refuse such names. */
async function zipOf(name: string, { renamed = name, mode = 0o100644 } = {}): Promise<string> {
  const path = join(makeTempDir(), 'model.zip')
  const archive = new ZipFile()
  archive.addBuffer(Buffer.from('contents'), renamed, { mode })
  archive.end()
  await pipeline(archive.outputStream as Readable, createWriteStream(path))
  const { readFileSync } = await import('node:fs')
  writeFileSync(path, readFileSync(path, 'latin1').replaceAll(renamed, name), 'latin1')
  return path
}

for (const [name, renamed] of [
  ['../../evil', 'aa_aa_evil'],
  ['/etc/passwd', '_etc_passwd'],
  ['a/../../b', 'a_aa_aa_b'],
  ['a\\..\\..\\b', 'a_aa_aa_bb'.slice(0, 9)],
  ['C:/windows', 'C__windows'],
] as const) {
  test(`refuses an archive that would write to ${name}`, async () => {
    await rejectsWith(openArchive(await zipOf(name, { renamed })), 'corrupt', /model\.zip: /)
  })
}

test('refuses links, in archives and in directories', async () => {
  await rejectsWith(openArchive(await zipOf('link', { mode: 0o120777 })), 'corrupt', /link is a link/)
  const root = makeTempDir()
  symlinkSync('/etc/passwd', join(root, 'link'))
  await rejectsWith(openDirectory(root), 'corrupt', /neither a file nor a directory/)
})

test('refuses a name that comes twice, and what is no archive', async () => {
  const path = join(makeTempDir(), 'twice.zip')
  const archive = new ZipFile()
  for (const text of ['one', 'two']) archive.addBuffer(Buffer.from(text), 'a/b')
  archive.end()
  await pipeline(archive.outputStream as Readable, createWriteStream(path))
  await rejectsWith(openArchive(path), 'corrupt', /names a\/b twice/)
  writeFileSync(path, 'not a zip')
  await rejectsWith(openArchive(path), 'corrupt', /is no whole zip archive/)
})

test('a version whose place was about to be taken when the run was killed stands there again', async () => {
  const root = makeTempDir()
  const [version, replaced] = [join(root, 'guest#1#m/v'), join(root, '.fate.partial-999999999-1/replaced')]
  mkdirSync(version, { recursive: true })
  writeFileSync(join(version, 'define_meta.yaml'), 'the former one')
  await putAway(version, replaced)
  assert.equal(readdirSync(join(root, 'guest#1#m')), [])
  const draft = await createDraft(root, 0)
  assert.equal(readdirSync(version), ['define_meta.yaml'])
  await draft.discard()
  assert.equal(readdirSync(root), ['guest#1#m'])
})

test('what has taken the place of a version stays when the run was killed after that', async () => {
  const root = makeTempDir()
  const [version, replaced] = [join(root, 'guest#1#m/v'), join(root, '.fate.partial-999999999-1/replaced')]
  mkdirSync(version, { recursive: true })
  await putAway(version, replaced)
  mkdirSync(version)
  writeFileSync(join(version, 'define_meta.yaml'), 'the new one')
  await (await createDraft(root, 0)).discard()
  assert.equal(readdirSync(version), ['define_meta.yaml'])
  assert.equal(readdirSync(root), ['guest#1#m'])
})

const NAMES = { directory: 'guest#1#m/v', archive: 'guest#1#m_v.zip', hasSha1: false }

test('nothing stands under a final name before all is published, and a discarded draft is gone', async () => {
  const root = makeTempDir()
  const draft = await createDraft(root, 1)
  const part = await draft.add(NAMES)
  await part.write('a/b', Buffer.from('x'))
  assert.ok(readdirSync(root).every((name) => name.startsWith('.fate.partial-')))
  await draft.discard()
  assert.equal(readdirSync(root), [])
})

test('where one name is taken nothing is published', async () => {
  const root = makeTempDir()
  const draft = await createDraft(root, 1)
  for (const names of [NAMES, { ...NAMES, directory: 'host#1#m/v', archive: 'host#1#m_v.zip' }])
    await (await draft.add(names)).write('a', Buffer.from('x'))
  writeFileSync(join(root, 'host#1#m_v.zip'), 'of somebody else')
  await rejectsWith(draft.publish({ replace: false }), 'usage', /host#1#m_v\.zip: exists already/)
  await draft.discard()
  assert.equal(readdirSync(root), ['host#1#m_v.zip'])
})

test('a draft never writes out of its place', async () => {
  const draft = await createDraft(makeTempDir(), 1)
  const part = await draft.add(NAMES)
  await rejectsWith(part.write('../../x', Buffer.from('x')), 'usage', /leads out/)
  await draft.discard()
})

test('a full disk leaves nothing, whenever it is full', async () => {
  const root = makeTempDir()
  const disk = mountSmallDisk(join(root, 'disk'), 2 ** 20)
  try {
    const place = join(root, 'disk')
    await rejectsWith(createDraft(place, 2 ** 21), 'remote', /no space left.*about 2097152 are needed/)
    for (const bytes of [2 ** 21, 900_000]) {
      const draft = await createDraft(place, 0)
      const part = await draft.add(NAMES)
      const work = async () => {
        // Noise does not get smaller in the archive.
        await part.write('large', crypto.getRandomValues(Buffer.alloc(60_000)))
        for (let at = 0; at * 60_000 < bytes; at++)
          await part.write(`large-${at}`, crypto.getRandomValues(Buffer.alloc(60_000)))
        await draft.publish({ replace: false })
      }
      await rejectsWith(work(), 'remote', /no space left on the disk of/)
      await draft.discard()
      assert.equal(readdirSync(place), [])
    }
  } finally {
    disk.unmount()
  }
})

test('what a killed run left is removed by the next one', async () => {
  const root = makeTempDir()
  mkdirSync(join(root, '.fate.partial-999999999-1'))
  await (await createDraft(root, 0)).discard()
  assert.equal(readdirSync(root), [])
})

test('define_meta.yaml keeps how it is written where a component is emptied', () => {
  const text =
    'describe: This is the model definition meta # kept\nmodel_proto:\n  a: {model: {X: Y}}\n  b: {model: {X: Y}}\ncomponent_define:\n  a: {module_name: A}\n'
  assert.is(emptyMeta(text, []), text)
  const emptied = emptyMeta(text, [['a', 'model']])
  assert.match(emptied, '# kept')
  assert.equal(parseMeta(emptied, 'x').buffers, [{ component: 'b', alias: 'model', buffer: 'X' }])
  assert.throws(() => parseMeta('a: 1', 'x'), /x: names no component_define/)
})

test.run()
