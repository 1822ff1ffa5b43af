import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seedRows } from '../../../bench/delta/row-generation.ts'
import { makePatchBeside } from '../../../lib/adapters/relay/make-patch-beside.ts'
import { raised } from '../../support/raised.ts'
import { mountSmallDisk, type SmallDisk } from '../../support/small-disk.ts'
import { makeTempDir } from '../../support/temp.ts'
import { apply, assertWhole, listFiles, make, makeWorld } from './rebuilding.ts'

const MIB = 2 ** 20
const FROM = [0, 1].map((cluster) => seedRows(Array.from({ length: 900 }, (_, row) => cluster * 900 + row)))
/** Every second row is another one. */
const TO = FROM.map((rows) =>
  rows.map((row, index) => (index % 2 === 0 ? { ...row, vector: -row.vector } : row)),
)

const disks: SmallDisk[] = []
test.after.each(() => {
  for (const disk of disks.splice(0)) disk.unmount()
})

function mountSmall(bytes: number) {
  const directory = join(makeTempDir(), 'small')
  const disk = mountSmallDisk(directory, bytes)
  disks.push(disk)
  return { directory, disk }
}

test('says that there is no room for a patch, and leaves nothing of it', async () => {
  const world = makeWorld(FROM, TO, { dimensions: 512 })
  // Not even for the rows of the base; for these, and not for the patch.
  for (const bytes of [4096, 256 * 1024]) {
    const { directory } = mountSmall(bytes)
    const { message, hint } = await raised('remote', make({ ...world, target: join(directory, 'patch') }))
    assert.is(message, `${directory}: no space left on the disk for a patch`)
    assert.match(hint!, 'sent whole')
    assert.equal(readdirSync(directory), [])
  }
})

test('says so from the thread that makes it, too', async () => {
  const { base: baseManifest, ...world } = makeWorld(FROM, TO, { dimensions: 512 })
  const { directory } = mountSmall(256 * 1024)
  const { signal } = new AbortController()
  const making = makePatchBeside({ ...world, baseManifest, target: join(directory, 'patch'), signal })
  assert.match((await raised('remote', making)).message, 'no space left on the disk for a patch')
  assert.equal(readdirSync(directory), [])
})

test('leaves no file that is not whole where the disk is full while they are made, and goes on with more room', async () => {
  const world = makeWorld(FROM, TO, { dimensions: 512 })
  assert.ok(await make(world))
  const { directory: partial, disk } = mountSmall(3 * MIB)
  const error: NodeJS.ErrnoException = await apply({ ...world, partial }).then(
    () => assert.unreachable('there was room'),
    (reason) => reason,
  )
  assert.is(error.code, 'ENOSPC')
  for (const path of listFiles(partial)) {
    assert.ok(readFileSync(join(partial, path)).equals(readFileSync(join(world.directory, path))), path)
  }
  assert.not(existsSync(join(partial, 'clust_1/vectors.npy')))
  disk.resize(16 * MIB)
  assertWhole({ ...world, partial }, await apply({ ...world, partial }))
})

test.run()
