import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { SshSettings } from '../../../lib/adapters/ssh/settings.ts'
import { createSshShell } from '../../../lib/adapters/ssh/shell.ts'
import { createSshTransport } from '../../../lib/adapters/ssh/transport.ts'
import { countBytes, type Manifest } from '../../../lib/domain/manifest.ts'
import type { RemoteShell } from '../../../lib/ports/remote-shell.ts'
import { rejectsWith } from '../../support/errors.ts'
import { writeGenerationFiles } from '../../support/fakes/generation-files.ts'
import { makeManifest } from '../../support/fakes/manifest.ts'
import { flipByte } from '../../support/files.ts'
import { settingsFor, startSshd } from '../../support/sshd.ts'
import { makeTempDir } from '../../support/temp.ts'
import { startSlowLine } from './slow-line.ts'

const NEVER = new AbortController().signal
const MIB = 1024 * 1024
const LARGE = 'clust_1/vectors.npy'
const endings: (() => Promise<void> | void)[] = []

test.after.each(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

test('continues in the middle of a file when sshd was killed while it came', async () => {
  const { transport, sshd, home, source } = await makeNode({ large: 24 * MIB })
  let arrived = 0
  let stopped: Promise<void> | undefined
  const onBytes = (bytes: number) => {
    arrived += bytes
    if (arrived > 12 * MIB) stopped ??= sshd.stop()
  }
  const first = transport.deliver('node-1', source.directory, source.manifest, { signal: NEVER, onBytes })
  await rejectsWith(first, 'remote', /^node-1: /)
  assert.equal(readdirSync(home), ['.dg_1.partial'])
  await stopped
  await sshd.start()
  const sent = await deliver(transport, source)
  assert.ok(sent > 0 && sent < 20 * MIB, `${sent} bytes were sent the second time`)
  assert.equal(readdirSync(home), ['dg_1'])
  await transport.verify('node-1', source.manifest, NEVER)
})

test('sends the largest files first, and begins one when the one before it is well on its way', async () => {
  const { transport, home } = await makeNode({})
  const large = ['clust_0/vectors.npy', LARGE]
  const sizeOf = (path: string) => (large.includes(path) ? 24 * MIB : 1000)
  const source = await writeGenerationFiles(makeTempDir(), 'dg_2', sizeOf)
  const begun: { readonly path: string; readonly before: number }[] = []
  const onBytes = () => {
    const sizes = new Map(source.manifest.files.map(({ path }) => [path, sizeHeld(home, path)]))
    for (const [path, size] of sizes) {
      if (size === undefined || begun.some((one) => one.path === path)) continue
      begun.push({ path, before: sizes.get(begun[0]?.path ?? path)! })
    }
  }
  await transport.deliver('node-1', source.directory, source.manifest, { signal: NEVER, onBytes })
  const [first, second] = begun
  assert.equal([first?.path, second?.path].toSorted(), large)
  // A half has been sent; of that, a window may not have been written yet.
  assert.ok(second!.before >= 6 * MIB, `${second!.before} bytes of the first`)
})

test('sends only the damaged file of a copy again, and writes to none that is served', async () => {
  const { transport, home, source } = await makeNode({ large: 2 * MIB })
  await deliver(transport, source)
  const held = join(home, 'dg_1', LARGE)
  const open = openSync(held, 'r')
  flipByte(held)
  const damaged = readFileSync(held)
  const other = join(home, 'dg_1', 'clust_0/vectors.npy')
  const { ino } = statSync(other)
  const entry = source.manifest.files.find(({ path }) => path === LARGE)
  assert.is(await deliver(transport, source), entry?.bytes)
  await transport.verify('node-1', source.manifest, NEVER)
  assert.is(statSync(other).ino, ino)
  assert.equal(readFileSync(open), damaged)
  closeSync(open)
  assert.equal(readdirSync(home), ['dg_1'])
})

test('tells of what relays have left in pieces, and of the room that it takes', async () => {
  const { transport, home } = await makeNode({})
  for (const name of ['dg_1', 'dg_2']) mkdirSync(join(home, `.${name}.partial/clust_1`), { recursive: true })
  writeFileSync(join(home, '.dg_1.partial/clust_1/vectors.npy.pieces'), Buffer.alloc(MIB))
  writeFileSync(join(home, '.dg_2.partial/clust_1/vectors.npy.part-0'), Buffer.alloc(MIB))
  const { generations, inPieces, taken } = await transport.inspect('node-1', NEVER)
  assert.equal([generations, inPieces], [[], ['dg_1']])
  assert.ok(taken!.dg_1! >= MIB && taken!.dg_2! >= MIB)
})

test('tells when the last byte is on its way, and when every file is whole', async () => {
  const { transport, source } = await makeNode({})
  const told: string[] = []
  const onMilestone = (milestone: string) => void (told.includes(milestone) || told.push(milestone))
  await transport.deliver('node-1', source.directory, source.manifest, { signal: NEVER, onMilestone })
  assert.equal(told, ['started', 'firstByte', 'received', 'whole', 'published'])
})

test('makes a generation of another one of the same content, byte by byte looked at, and takes no room', async () => {
  const { transport, home, source } = await makeNode({})
  await deliver(transport, source)
  const { clusters, files } = source.manifest
  const twin = makeManifest('dg_2', { clusters, files })
  assert.is(await transport.adopt('node-1', 'dg_1', twin, { signal: NEVER }), true)
  await transport.verify('node-1', twin, NEVER)
  assert.is(statSync(join(home, 'dg_2', LARGE)).ino, statSync(join(home, 'dg_1', LARGE)).ino)
  await transport.remove('node-1', 'dg_1', NEVER)
  await transport.verify('node-1', twin, NEVER)
})

test('says no more than a few kilobytes to a node that has it all under another name', async () => {
  const { sshd, transport, home, source } = await makeNode({})
  await deliver(transport, source)
  const line = await startSlowLine(sshd.port, 1e9)
  const knownHostsFile = join(makeTempDir(), 'known_hosts')
  writeFileSync(knownHostsFile, `[127.0.0.1]:${line.port} ${sshd.hostKey}\n`)
  const { nodes, ...settings } = settingsFor(sshd, ['node-1'])
  const behind = createSshTransport({
    shell: createSshShell({
      ...settings,
      knownHostsFile,
      nodes: nodes.map((node) => ({ ...node, port: line.port })),
    }),
    nodes: [{ name: 'node-1', directory: home }],
    operationTimeoutMs: 10_000,
  })
  endings.push(line.stop, () => behind.close())
  const { clusters, files } = source.manifest
  const twin = makeManifest('dg_2', { clusters, files })
  await behind.inspect('node-1', NEVER)
  assert.is(await behind.holds('node-1', twin, { signal: NEVER }), false)
  assert.is(await behind.adopt('node-1', 'dg_1', twin, { signal: NEVER }), true)
  assert.ok(line.countPassed() < 20_000, `${line.countPassed()} bytes`)
})

test('makes nothing of another generation that is damaged, or not there, and keeps what was begun', async () => {
  const { transport, home, source } = await makeNode({})
  await deliver(transport, source)
  const { clusters, files } = source.manifest
  const twin = makeManifest('dg_2', { clusters, files })
  mkdirSync(join(home, '.dg_2.partial'))
  flipByte(join(home, 'dg_1', LARGE))
  assert.is(await transport.adopt('node-1', 'dg_1', twin, { signal: NEVER }), false)
  assert.is(await transport.adopt('node-1', 'dg_7', twin, { signal: NEVER }), false)
  assert.equal(readdirSync(home).sort(), ['.dg_2.partial', 'dg_1'])
})

test('does not continue a piece that is not the beginning of the file', async () => {
  const { transport, home, source } = await makeNode({ large: 2 * MIB })
  const partial = join(home, '.dg_1.partial/clust_1')
  mkdirSync(partial, { recursive: true })
  writeFileSync(join(partial, 'vectors.npy.part-0'), Buffer.alloc(MIB))
  assert.is(await deliver(transport, source), countBytes(source.manifest))
  await transport.verify('node-1', source.manifest, NEVER)
})

test('a writer that was given up cannot change what is delivered after it', async () => {
  const { transport, home, source } = await makeNode({ large: 2 * MIB })
  const partial = join(home, '.dg_1.partial/clust_1')
  mkdirSync(partial, { recursive: true })
  const piece = join(partial, 'vectors.npy.part-0')
  writeFileSync(piece, readFileSync(join(source.directory, LARGE)).subarray(0, MIB))
  const { ino } = statSync(piece)
  assert.is(await deliver(transport, source), countBytes(source.manifest) - MIB)
  assert.is.not(statSync(join(home, 'dg_1', LARGE)).ino, ino)
})

test('a connection that freezes in the middle ends by the keep-alive deadline, and the rest follows', async () => {
  const { transport, sshd, source } = await makeNode({ large: 24 * MIB }, { keepAliveMs: 200 })
  let arrived = 0
  const onBytes = (bytes: number) => {
    arrived += bytes
    if (arrived > 8 * MIB) sshd.signalSessions('SIGSTOP')
  }
  const first = transport.deliver('node-1', source.directory, source.manifest, { signal: NEVER, onBytes })
  await rejectsWith(first, 'remote', /^node-1: .* was lost \(it said nothing for 0\.8 s\)/)
  sshd.signalSessions('SIGCONT')
  assert.ok((await deliver(transport, source)) < countBytes(source.manifest))
  await transport.verify('node-1', source.manifest, NEVER)
})

test('a node that takes nothing any more although it is there fails by the operation deadline', async () => {
  const { transport, sshd, source } = await makeNode({ large: 24 * MIB }, {}, 2000)
  let arrived = 0
  const onBytes = (bytes: number) => {
    arrived += bytes
    if (arrived > 8 * MIB) sshd.signalCommands('SIGSTOP')
  }
  const first = transport.deliver('node-1', source.directory, source.manifest, { signal: NEVER, onBytes })
  await rejectsWith(first, 'remote', /^node-1: took nothing of \S+ for \d/)
  assert.ok((await deliver(transport, source)) < countBytes(source.manifest))
  await transport.verify('node-1', source.manifest, NEVER)
})

test('a disk that fills up in the middle leaves nothing behind, and what was there is sound', async () => {
  const { transport, home, source } = await makeNode({})
  mountSmall(home, '1m')
  await deliver(transport, source)
  const second = await writeGenerationFiles(makeTempDir(), 'dg_2', () => 60_000)
  const onBytes = () => fillUp(join(home, 'ballast'))
  const running = transport.deliver('node-1', second.directory, second.manifest, { signal: NEVER, onBytes })
  const error = await rejectsWith(running, 'remote', /^node-1 has no room for dg_2/)
  assert.match(error.message, String(countBytes(second.manifest)))
  assert.equal(readdirSync(home), ['ballast', 'dg_1'])
  await transport.verify('node-1', source.manifest, NEVER)
})

test('gives up a piece where there is no room to copy it', async () => {
  const { transport, home, source } = await makeNode({ large: 600_000 })
  mountSmall(home, '1m')
  const partial = join(home, '.dg_1.partial/clust_1')
  mkdirSync(partial, { recursive: true })
  const start = readFileSync(join(source.directory, LARGE)).subarray(0, 500_000)
  writeFileSync(join(partial, 'vectors.npy.part-0'), start)
  assert.is(await deliver(transport, source), countBytes(source.manifest))
  await transport.verify('node-1', source.manifest, NEVER)
})

test('refuses a symbolic link where a generation or a partial one would be', async () => {
  for (const name of ['dg_1', '.dg_1.partial']) {
    const { transport, home, source } = await makeNode({})
    const outside = makeTempDir()
    mkdirSync(home, { recursive: true })
    symlinkSync(outside, join(home, name))
    const error = await rejectsWith(deliver(transport, source), 'corrupt', /^node-1: .* is a symbolic link/)
    assert.match(error.message, join(home, name))
    assert.equal(readdirSync(outside), [])
  }
})

test('writes through no symbolic link inside a partial delivery', async () => {
  const { transport, home, source } = await makeNode({})
  const outside = makeTempDir()
  mkdirSync(join(home, '.dg_1.partial'), { recursive: true })
  symlinkSync(outside, join(home, '.dg_1.partial/clust_0'))
  await deliver(transport, source)
  assert.equal(readdirSync(outside), [])
  assert.ok(lstatSync(join(home, 'dg_1/clust_0')).isDirectory())
})

test('tells of a link and of a directory among held files', async () => {
  const { transport, home, source } = await makeNode({})
  await deliver(transport, source)
  const path = join(home, 'dg_1/clust_0/items.jsonl')
  renameSync(path, join(home, 'elsewhere'))
  symlinkSync(join(home, 'elsewhere'), path)
  await rejectsWith(
    transport.verify('node-1', source.manifest, NEVER),
    'corrupt',
    /items\.jsonl is a symbolic link/,
  )
  rmSync(path)
  mkdirSync(path)
  await rejectsWith(
    transport.verify('node-1', source.manifest, NEVER),
    'corrupt',
    /items\.jsonl is no plain file/,
  )
})

test('refuses a symbolic link among the files of the source', async () => {
  const { transport, source } = await makeNode({})
  const path = join(source.directory, 'clust_0/items.jsonl')
  const elsewhere = join(makeTempDir(), 'items.jsonl')
  renameSync(path, elsewhere)
  symlinkSync(elsewhere, path)
  await rejectsWith(deliver(transport, source), 'corrupt', /items\.jsonl is a symbolic link/)
})

test('publishes exactly the files of the manifest, whatever lies in the partial delivery', async () => {
  const { transport, home, source } = await makeNode({})
  const partial = join(home, '.dg_1.partial')
  mkdirSync(join(partial, 'clust_9'), { recursive: true })
  for (const name of [
    'clust_9/vectors.npy',
    'centroids.npy golden.json',
    '-rf',
    '.hidden',
    'a\nb',
    'clust_9/...',
  ]) {
    writeFileSync(join(partial, name), 'old')
  }
  await deliver(transport, source)
  const expected = new Set([
    'manifest.json',
    'clust_0',
    'clust_1',
    ...source.manifest.files.map(({ path }) => path),
  ])
  const found = readdirSync(join(home, 'dg_1'), { recursive: true }).map(String)
  assert.equal(found.sort(), [...expected].sort())
  assert.equal(readdirSync(home), ['dg_1'])
})

test('tells of a generation by its manifest, whatever line breaks and backslashes that has', async () => {
  const { transport, home, source } = await makeNode({})
  await deliver(transport, source)
  const file = join(home, 'dg_1/manifest.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  // Where it came from is no part of a generation's identity.
  manifest.source.kind = 'C:\\new\\cut "here"\nand there'
  writeFileSync(file, JSON.stringify(manifest, null, 2))
  mkdirSync(join(home, 'dg_2'))
  const { generations } = await transport.inspect('node-1', NEVER)
  assert.equal(generations, [
    { name: 'dg_1', digest: source.manifest.digest },
    { name: 'dg_2', digest: null },
  ])
})

test('works in a directory whose name means something to a shell', async () => {
  const { transport, home, source } = await makeNode({}, {}, 10_000, `it's a "dir"; $(touch x)\n-rf *`)
  await deliver(transport, source)
  await transport.verify('node-1', source.manifest, NEVER)
  assert.equal((await transport.inspect('node-1', NEVER)).generations.length, 1)
  await transport.remove('node-1', 'dg_1', NEVER)
  assert.equal(readdirSync(home), [])
})

test('refuses names and directories that lead elsewhere', async () => {
  const { transport } = await makeNode({})
  await rejectsWith(transport.remove('node-1', '../../x', NEVER), 'usage', /leads out/)
  await rejectsWith(transport.remove('node-9', 'dg_1', NEVER), 'usage', /node-9/)
  const shell: RemoteShell = {
    run: () => Promise.reject(new Error('nothing is run')),
    close: async () => undefined,
  }
  for (const directory of ['relative', '/', '']) {
    const create = async () =>
      createSshTransport({ shell, nodes: [{ name: 'node-1', directory }], operationTimeoutMs: 1000 })
    await rejectsWith(create(), 'usage', /absolute|no directory/)
  }
})

test('removing dg_1 leaves dg_10 and its partial delivery alone', async () => {
  const { transport, home } = await makeNode({})
  const other = await writeGenerationFiles(makeTempDir(), 'dg_10')
  await deliver(transport, other)
  mkdirSync(join(home, '.dg_10.partial'))
  await transport.remove('node-1', 'dg_1', NEVER)
  await transport.verify('node-1', other.manifest, NEVER)
  assert.ok(existsSync(join(home, '.dg_10.partial')))
})

test('a node that hangs holds up no other', async () => {
  const slow = await makeNode({})
  const quick = await makeNode({})
  await slow.transport.inspect('node-1', NEVER)
  slow.sshd.signalSessions('SIGSTOP')
  const waiting = deliver(slow.transport, slow.source)
  await deliver(quick.transport, quick.source)
  slow.sshd.signalSessions('SIGCONT')
  assert.is(await waiting, countBytes(slow.source.manifest))
})

type Source = { readonly directory: string; readonly manifest: Manifest }

/** A node with an sshd of its own, and a generation for it whose one large file has so many bytes. */
async function makeNode(
  { large = 1000 }: { large?: number },
  settings: Partial<SshSettings> = {},
  operationTimeoutMs = 10_000,
  name = 'node-1',
) {
  const sshd = await startSshd()
  const home = join(makeTempDir(), name)
  const transport = createSshTransport({
    shell: createSshShell({ ...settingsFor(sshd), ...settings }),
    nodes: [{ name: 'node-1', directory: home }],
    operationTimeoutMs,
  })
  endings.push(
    () => sshd.stop(),
    () => transport.close(),
  )
  const source = await writeGenerationFiles(makeTempDir(), 'dg_1', (path) => (path === LARGE ? large : 1000))
  return { sshd, home, transport, source }
}

function deliver(transport: ReturnType<typeof createSshTransport>, source: Source): Promise<number> {
  return transport.deliver('node-1', source.directory, source.manifest, { signal: NEVER })
}

/** Bytes that are there of a file of dg_2, whole or not. */
function sizeHeld(home: string, path: string): number | undefined {
  const [name] = globSync(`${path}*`, { cwd: join(home, '.dg_2.partial') })
  return name === undefined
    ? undefined
    : statSync(join(home, '.dg_2.partial', name), { throwIfNoEntry: false })?.size
}

function mountSmall(directory: string, size: string): void {
  mkdirSync(directory, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', directory])
  endings.push(() => void execFileSync('umount', [directory]))
}

/** Writes until the disk is full. */
function fillUp(path: string): void {
  try {
    for (;;) appendFileSync(path, Buffer.alloc(4096))
  } catch (error) {
    assert.is((error as NodeJS.ErrnoException).code, 'ENOSPC')
  }
}

test.run()
