import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { copyFile } from '../../../lib/adapters/local/file-copy.ts'
import { createLocalTransport } from '../../../lib/adapters/local/transport.ts'
import { countBytes } from '../../../lib/domain/manifest.ts'
import { describeTransport } from '../../contracts/transport.ts'
import { rejectsWith } from '../../support/errors.ts'
import { writeGenerationFiles } from '../../support/fakes/generation-files.ts'
import { flipByte, listAll } from '../../support/files.ts'
import { makeTempDir } from '../../support/temp.ts'

const NEVER = new AbortController().signal
const mounts: string[] = []

test.after(() => {
  for (const directory of mounts) execFileSync('umount', [directory])
})

describeTransport('the local transport', async () => {
  const state = makeTempDir()
  const filled = new Set<string>()
  const home = (node: string) => join(state, 'nodes', node)
  return {
    transport: createLocalTransport({
      state,
      readFree: async (directory) =>
        [...filled].some((node) => directory.startsWith(home(node))) ? 10 : 1e9,
    }),
    nodes: ['node-1', 'node-2'],
    source: await writeGenerationFiles(makeTempDir(), 'dg_1'),
    namesake: await writeGenerationFiles(makeTempDir(), 'dg_1'),
    damageHeld: async (node, generation, path) => flipByte(join(home(node), generation, path)),
    damageSource: async ({ directory }, path) => flipByte(join(directory, path)),
    fill: async (node) => {
      filled.add(node)
    },
    cut: async (node) => {
      mkdirSync(dirname(home(node)), { recursive: true })
      writeFileSync(home(node), 'not a directory')
    },
    hasTraces: async (node, generation) => listAll(home(node)).some((name) => name.includes(generation)),
  }
})

test('a disk that fills up in the middle leaves nothing behind, and what was there is sound', async () => {
  const { transport, home } = makeSmallNode()
  const small = await writeGenerationFiles(makeTempDir(), 'dg_1')
  const large = await writeGenerationFiles(makeTempDir(), 'dg_2', () => 300_000)
  await transport.deliver('node-1', small.directory, small.manifest, { signal: NEVER })
  const error = await rejectsWith(
    transport.deliver('node-1', large.directory, large.manifest, { signal: NEVER }),
    'remote',
    /node-1 has no room for dg_2/,
  )
  assert.match(error.message, String(countBytes(large.manifest)))
  assert.equal(readdirSync(home), ['dg_1'])
  await transport.verify('node-1', small.manifest, NEVER)
})

test('a partial delivery does not count twice against the room that is left', async () => {
  const state = makeTempDir()
  const { directory, manifest } = await writeGenerationFiles(makeTempDir(), 'dg_1')
  const whole = countBytes(manifest)
  const controller = new AbortController()
  const onBytes = () => controller.abort(new Error('stop'))
  const first = createLocalTransport({ state })
  await first.deliver('node-1', directory, manifest, { signal: controller.signal, onBytes }).catch(() => null)
  const firstFile = join(state, 'nodes/node-1/.dg_1.partial', manifest.files[0]!.path)
  writeFileSync(firstFile, readFileSync(join(directory, manifest.files[0]!.path)))
  const second = createLocalTransport({ state, readFree: async () => whole - 1 })
  assert.is(await second.deliver('node-1', directory, manifest, { signal: NEVER }), whole - 1000)
})

test('refuses a symbolic link among the files of a generation', async () => {
  const state = makeTempDir()
  const { directory, manifest } = await writeGenerationFiles(makeTempDir(), 'dg_1')
  const path = join(directory, 'clust_0/items.jsonl')
  const elsewhere = join(makeTempDir(), 'items.jsonl')
  writeFileSync(elsewhere, readFileSync(path))
  rmSync(path)
  symlinkSync(elsewhere, path)
  const transport = createLocalTransport({ state })
  await rejectsWith(
    transport.deliver('node-1', directory, manifest, { signal: NEVER }),
    'corrupt',
    /items\.jsonl is a symbolic link/,
  )
})

test('writes through no symbolic link that lies where a partial delivery would be', async () => {
  const state = makeTempDir()
  const outside = makeTempDir()
  const { directory, manifest } = await writeGenerationFiles(makeTempDir(), 'dg_1')
  const partial = join(state, 'nodes/node-1/.dg_1.partial')
  mkdirSync(partial, { recursive: true })
  symlinkSync(outside, join(partial, 'clust_0'))
  const transport = createLocalTransport({ state })
  await transport.deliver('node-1', directory, manifest, { signal: NEVER })
  assert.equal(readdirSync(outside), [])
  assert.ok(lstatSync(join(state, 'nodes/node-1/dg_1/clust_0')).isDirectory())
})

test('publishes exactly the files of the manifest, whatever an earlier attempt left', async () => {
  const state = makeTempDir()
  const { directory, manifest } = await writeGenerationFiles(makeTempDir(), 'dg_1')
  const partial = join(state, 'nodes/node-1/.dg_1.partial')
  mkdirSync(join(partial, 'clust_9'), { recursive: true })
  writeFileSync(join(partial, 'clust_9/vectors.npy'), 'old')
  await createLocalTransport({ state }).deliver('node-1', directory, manifest, { signal: NEVER })
  const published = listAll(join(state, 'nodes/node-1')).filter((name) => !name.startsWith('dg_1/'))
  assert.equal(published, ['dg_1'])
  assert.not(listAll(join(state, 'nodes/node-1/dg_1')).some((name) => name.includes('clust_9')))
})

test('refuses names that lead out of the directory of nodes', async () => {
  const transport = createLocalTransport({ state: makeTempDir() })
  await rejectsWith(transport.remove('node-1', '../../x', NEVER), 'usage', /leads out/)
  await rejectsWith(transport.remove('../x', 'dg_1', NEVER), 'usage', /leads out/)
})

test('removing dg_1 leaves dg_10 alone', async () => {
  const state = makeTempDir()
  const transport = createLocalTransport({ state })
  const { directory, manifest } = await writeGenerationFiles(makeTempDir(), 'dg_10')
  await transport.deliver('node-1', directory, manifest, { signal: NEVER })
  await transport.remove('node-1', 'dg_1', NEVER)
  await transport.verify('node-1', manifest, NEVER)
})

/** A node on a disk of 1 MiB that claims to have more; where nothing can be mounted, copying fails as such a disk does. */
function makeSmallNode() {
  const state = makeTempDir()
  const home = join(state, 'nodes/node-1')
  mkdirSync(home, { recursive: true })
  const copy: typeof copyFile = async (directory, path, to, options) => {
    if (directory.endsWith('dg_2') && path.startsWith('clust_1')) {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC', syscall: 'write' })
    }
    await copyFile(directory, path, to, options)
  }
  const settings = { state, readFree: async () => 1e9 }
  return { home, transport: createLocalTransport(mountSmall(home) ? settings : { ...settings, copy }) }
}

function mountSmall(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', directory], { stdio: 'ignore' })
    mounts.push(directory)
    return true
  } catch {
    return false
  }
}

test.run()
