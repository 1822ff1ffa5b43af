import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Order } from '../../../lib/adapters/relay/protocol.ts'
import { makeTempDir } from '../../support/temp.ts'
import { makeBundle, SECRET } from './bundle.ts'
import { startRelay } from './relay-process.ts'

const bundle = makeBundle({ 'clust_0/vectors.npy': 300_000, 'golden.json': 100_000 }, 16_384)
const mounted: string[] = []

test.after(async () => {
  for (const directory of mounted) await execa('umount', [directory])
})

function beginOrder(change: object): Order {
  const { generation, files, pieceBytes } = bundle
  const secret = SECRET.toString('base64')
  return { do: 'begin', generation, files, pieceBytes, secret, port: 0, uploadRate: null, ...change }
}

/** What a relay that cannot go on says, and how it ends. */
async function breakWith(directory: string, change: object) {
  const relay = startRelay(directory)
  relay.order(beginOrder(change))
  const [broken] = await relay.hear('broken')
  const { code, stderr } = await relay.ended()
  assert.match(stderr, /^\{[^\n]+\}\n$/)
  return { problem: broken!.problem, code: broken!.code, exitCode: code }
}

test('refuses to write anywhere but to the generation it is told', async () => {
  const directory = makeTempDir()
  const [file] = bundle.files
  const { problem, exitCode } = await breakWith(directory, { generation: '../dg_7' })
  assert.match(problem, '"../dg_7" is no generation name')
  assert.is(exitCode, 2)
  assert.match(
    (await breakWith(directory, { files: [{ ...file, path: 'clust_0/../../x' }] })).problem,
    '"clust_0/../../x" is no path of a generation',
  )
  assert.equal(await readdir(directory), [])
})

test('refuses orders that make no sense, and says which', async () => {
  const [file] = bundle.files
  const cases: [object, RegExp][] = [
    [{ files: [file, file] }, /stands twice/],
    [{ secret: '' }, /a secret of 0 bytes/],
    [{ do: 'put', piece: 0 }, /"put" came before "begin"/],
    [{ do: 'dance' }, /"dance" came before "begin"/],
  ]
  for (const [change, message] of cases)
    assert.match((await breakWith(makeTempDir(), change)).problem, message)
})

test('ends clearly when what it hears is no order', async () => {
  for (const bytes of [
    'Last login: today\n',
    Buffer.alloc(8, 255),
    Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 123, 123]),
  ]) {
    const relay = startRelay(makeTempDir())
    relay.child.stdin!.write(bytes)
    const [broken] = await relay.hear('broken')
    assert.match(broken!.problem, /announces|is no JSON/)
    assert.is((await relay.ended()).code, 30)
  }
})

test('fails an order for a piece that there is not, and goes on', async () => {
  const relay = startRelay(makeTempDir())
  await relay.begin(bundle)
  for (const piece of [-1, 10_000, 1.5]) relay.order({ do: 'put', piece, sha256: '', offset: 0 })
  const failed = await relay.hear('failed', 3)
  assert.equal(
    failed.map(({ problem }) => problem),
    Array(3).fill('there is no such piece'),
  )
  relay.put(bundle, 0)
  await relay.hear('have')
  relay.order({ do: 'end' })
  assert.is((await relay.ended()).code, 0)
})

test('follows no symbolic link, wherever one is in the way', async () => {
  const elsewhere = makeTempDir()
  await writeFile(join(elsewhere, 'mine'), 'mine')
  const links: ((directory: string) => Promise<void>)[] = [
    (directory) => symlink(elsewhere, join(directory, 'dg_7')),
    (directory) => symlink(elsewhere, join(directory, '.dg_7.partial')),
    async (directory) => {
      await mkdir(join(directory, '.dg_7.partial'))
      await symlink(elsewhere, join(directory, '.dg_7.partial/clust_0'))
    },
    async (directory) => {
      await mkdir(join(directory, '.dg_7.partial'))
      await symlink(join(elsewhere, 'mine'), join(directory, '.dg_7.partial/golden.json'))
    },
    async (directory) => {
      await mkdir(join(directory, '.dg_7.partial'))
      await symlink(join(elsewhere, 'mine'), join(directory, '.dg_7.partial/golden.json.pieces.log'))
    },
    async (directory) => {
      await mkdir(join(directory, '.dg_7.partial'))
      await writeFile(
        join(directory, '.dg_7.partial/golden.json.pieces.log'),
        'longshore-pieces/1 100000 bytes, 16384 a piece',
      )
      await symlink(join(elsewhere, 'mine'), join(directory, '.dg_7.partial/golden.json.pieces'))
    },
  ]
  for (const link of links) {
    const directory = makeTempDir()
    await link(directory)
    assert.match((await breakWith(directory, {})).problem, /symbolic link/)
    assert.equal(await readdir(elsewhere), ['mine'])
  }
})

/** A disk of its own with room for so many bytes. */
async function mountSmallDisk(bytes: number): Promise<string> {
  const directory = makeTempDir()
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory])
  mounted.push(directory)
  return directory
}

test('says before the first byte that there is no room, and leaves nothing', async () => {
  const directory = await mountSmallDisk(200_000)
  const { problem, code, exitCode } = await breakWith(directory, {})
  assert.match(problem, 'no room: 400000 bytes are missing')
  assert.equal([code, exitCode], ['ENOSPC', 30])
  assert.equal(await readdir(directory), [])
})

test('says when the room was taken by others meanwhile, and makes what it took free again', async () => {
  const directory = await mountSmallDisk(500_000)
  const relay = startRelay(directory)
  await relay.begin(bundle)
  relay.put(bundle, 0)
  await relay.hear('have')
  await writeFile(join(directory, 'ballast'), Buffer.alloc(300_000))
  for (const piece of bundle.pieces.keys()) relay.put(bundle, piece)
  const [broken] = await relay.hear('broken')
  assert.is(broken!.code, 'ENOSPC')
  assert.is((await relay.ended()).code, 30)
  assert.equal(await readdir(directory), ['ballast'])
})

test.run()
