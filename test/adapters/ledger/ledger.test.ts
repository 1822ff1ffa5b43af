import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createLedgerStore } from '../../../lib/adapters/ledger/store.ts'
import { hashContent } from '../../../lib/domain/content.ts'
import type { LongshoreError } from '../../../lib/domain/errors.ts'
import type { Ledger } from '../../../lib/ports/ledger.ts'
import { mountSmallDisk } from '../../support/small-disk.ts'
import { makeTempDir } from '../../support/temp.ts'

const MODEL = { fingerprint: 'sha256:model', dimensions: 4 }

function open(directory: string): Promise<Ledger> {
  return createLedgerStore({ directory, owner: 'tester' }).open(MODEL)
}

/** Hashes and embeddings of numbered contents: the numbers from `first` on. */
function rows(first: number, count: number): [Uint8Array, Float32Array] {
  const numbers = Array.from({ length: count }, (_, index) => first + index)
  const hashes = Buffer.concat(numbers.map((number) => hashContent({ kind: 'text', text: `item ${number}` })))
  return [hashes, Float32Array.from(numbers.flatMap((number) => [number, -number, 0.5, 1 / (number + 1)]))]
}

/** The only files of a kind among the segments. */
function fileOf(directory: string, kind: 'keys' | 'vectors'): string {
  const [own = ''] = readdirSync(directory)
  const name = readdirSync(join(directory, own)).find((file) => file.endsWith(kind))!
  return join(directory, own, name)
}

async function readBack(ledger: Ledger, first: number, count: number): Promise<Float32Array> {
  const target = new Float32Array(count * MODEL.dimensions)
  await ledger.read(rows(first, count)[0], target)
  return target
}

/** The error of a call that must fail. */
async function errorOf(call: Promise<unknown>): Promise<LongshoreError> {
  return await call.then(
    () => {
      throw new Error('the call succeeded')
    },
    (error: LongshoreError) => error,
  )
}

test('gives back what was added, in any order, in this process and in the next one', async () => {
  const directory = makeTempDir()
  const ledger = await open(directory)
  await Promise.all([
    ledger.append(...rows(0, 500)),
    ledger.append(...rows(500, 1)),
    ledger.append(...rows(501, 499)),
  ])
  assert.equal(await readBack(ledger, 200, 700), rows(200, 700)[1])
  await ledger.close()
  const again = await open(directory)
  assert.is(again.size, 1000)
  await again.append(...rows(1000, 3))
  const shuffled = [1002, 3, 4, 5, 999, 0].map((number) => rows(number, 1))
  const target = new Float32Array(shuffled.length * MODEL.dimensions)
  await again.read(Buffer.concat(shuffled.map(([hash]) => hash)), target)
  assert.equal(
    [...target],
    shuffled.flatMap(([, vector]) => [...vector]),
  )
  assert.is(again.find(rows(1003, 1)[0]), undefined)
  await again.close()
})

test('knows a content by what is embedded, whatever its model is called', async () => {
  const directory = makeTempDir()
  const store = createLedgerStore({ directory, owner: 'tester' })
  const first = await store.open({ ...MODEL, name: 'old' } as typeof MODEL)
  await first.append(...rows(1, 1))
  await first.close()
  const renamed = await store.open({ ...MODEL, name: 'new' } as typeof MODEL)
  assert.is(renamed.find(rows(1, 1)[0]), 'embedded')
  await renamed.close()
  const other = await store.open({ ...MODEL, fingerprint: 'sha256:other' })
  assert.is(other.find(rows(1, 1)[0]), undefined)
  await other.close()
})

test('remembers the dead with their reasons, until they are to be tried again', async () => {
  const directory = makeTempDir()
  const [poison] = rows(7, 1)
  const ledger = await open(directory)
  await ledger.bury(poison, 'token "\n" refused: \\')
  await ledger.close()
  const again = await open(directory)
  assert.is(again.find(poison), 'dead')
  assert.is(again.reasonOf(poison), 'token "\n" refused: \\')
  await again.exhume()
  assert.is(again.find(poison), undefined)
  await again.close()
  const after = await open(directory)
  assert.is(after.find(poison), undefined)
  await after.close()
})

test('leaves out a key that was torn, and every one after it, and goes on', async () => {
  for (const cut of [1, 39, 41, 100]) {
    const directory = makeTempDir()
    const ledger = await open(directory)
    await ledger.append(...rows(0, 10))
    await ledger.close()
    const keys = fileOf(directory, 'keys')
    truncateSync(keys, statSync(keys).size - cut)
    const again = await open(directory)
    assert.is(again.size, 10 - Math.ceil(cut / 40))
    await again.append(...rows(again.size, 10 - again.size))
    assert.equal(await readBack(again, 0, 10), rows(0, 10)[1])
    await again.close()
  }
})

test('opens, and goes on, after a kill in the middle of the beginning of a segment', async () => {
  const directory = makeTempDir()
  const ledger = await open(directory)
  await ledger.append(...rows(0, 10))
  await ledger.close()
  const next = fileOf(directory, 'vectors').replace('000000', '000001')
  writeFileSync(next, '')
  const again = await open(directory)
  await again.append(...rows(10, 10))
  assert.equal(await readBack(again, 0, 20), rows(0, 20)[1])
  await again.close()
})

test('gives a segment its keys last, so that none is ever without its embeddings', async () => {
  const directory = makeTempDir()
  const ledger = await open(directory)
  const own = join(directory, readdirSync(directory)[0]!)
  mkdirSync(join(own, 'segment-000000.keys'))
  assert.match((await errorOf(ledger.append(...rows(0, 1)))).message, 'EEXIST')
  assert.ok(readdirSync(own).includes('segment-000000.vectors'))
  await ledger.close()
})

test('tells a damaged embedding, or one of another content, from what was added', async () => {
  const directory = makeTempDir()
  const ledger = await open(directory)
  await ledger.append(...rows(0, 10))
  await ledger.close()
  const path = fileOf(directory, 'vectors')
  const bytes = readFileSync(path)
  bytes[16 * 6 + 3]! ^= 1
  writeFileSync(path, bytes)
  const again = await open(directory)
  const error = await errorOf(readBack(again, 0, 10))
  assert.is(error.kind, 'corrupt')
  assert.match(error.message, /segment-000000\.vectors, row 6: its embedding is damaged/)
  assert.equal(await readBack(again, 0, 6), rows(0, 6)[1])
  await again.close()
})

test('raises for a content that nobody embedded', async () => {
  const ledger = await open(makeTempDir())
  await ledger.append(...rows(0, 1))
  assert.is((await errorOf(readBack(ledger, 0, 2))).kind, 'not-found')
  await ledger.close()
})

test('lets one command at a time write, and names it to the other', async () => {
  const directory = makeTempDir()
  const ledger = await open(directory)
  const error = await errorOf(open(directory))
  assert.is(error.kind, 'locked')
  assert.match(error.message, /locked by tester since .*: embedding under sha256:model/)
  await ledger.close()
  await (await open(directory)).close()
})

test('refuses the ledger of a model with other dimensions', async () => {
  const directory = makeTempDir()
  await (await open(directory)).close()
  const store = createLedgerStore({ directory, owner: 'tester' })
  assert.is((await errorOf(store.open({ ...MODEL, dimensions: 8 }))).kind, 'corrupt')
})

test('says that the disk is full, keeps what was there, and takes the same again once there is room', async () => {
  const directory = join(makeTempDir(), 'disk')
  const disk = mountSmallDisk(directory, 64 << 10)
  try {
    const ledger = await open(directory)
    await ledger.append(...rows(0, 100))
    const error = await errorOf(ledger.append(...rows(100, 20_000)))
    assert.is(error.kind, 'remote')
    assert.match(error.message, /no space left/)
    assert.equal(await readBack(ledger, 0, 100), rows(0, 100)[1])
    assert.is(ledger.find(rows(100, 1)[0]), undefined)
    disk.resize(4 << 20)
    await ledger.append(...rows(100, 20_000))
    await ledger.close()
    const again = await open(directory)
    assert.is(again.size, 20_100)
    assert.equal(await readBack(again, 0, 20_100), rows(0, 20_100)[1])
    await again.close()
  } finally {
    disk.unmount()
  }
})

test('can be closed on a full disk, so that what filled it is what is told', async () => {
  const directory = join(makeTempDir(), 'disk')
  const disk = mountSmallDisk(directory, 64 << 10)
  try {
    const ledger = await open(directory)
    const filled = await errorOf(writeFile(join(directory, 'ballast'), Buffer.alloc(64 << 10)))
    assert.match(filled.message, 'ENOSPC')
    await ledger.close()
  } finally {
    disk.unmount()
  }
})

test('says that the disk is full where there is no room to begin', async () => {
  const directory = join(makeTempDir(), 'disk')
  const disk = mountSmallDisk(directory, 4 << 10)
  try {
    await writeFile(join(directory, 'ballast'), Buffer.alloc(4 << 10))
    const error = await errorOf(open(directory))
    assert.equal([error.kind, /no space left/.test(error.message)], ['remote', true])
  } finally {
    disk.unmount()
  }
})

test('holds, after kill -9 at any moment, everything that it had said it holds', async () => {
  const directory = makeTempDir()
  let promised = 0
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, [
      join(import.meta.dirname, 'fill-ledger.mjs'),
      directory,
      String(promised),
    ])
    child.stdout.setEncoding('utf8')
    let said = ''
    child.stdout.on('data', (text: string) => {
      said += text
      const numbers = said.split('\n').slice(0, -1).map(Number)
      if (numbers.length > 0 && numbers.at(-1)! - promised >= 90) child.kill('SIGKILL')
    })
    await once(child, 'close')
    promised = Number(said.split('\n').at(-2))
    const ledger = await open(directory)
    assert.ok(ledger.size >= promised)
    assert.equal(await readBack(ledger, 0, promised), rows(0, promised)[1])
    await ledger.close()
  }
  assert.ok(promised > 200)
})

test.run()
