import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGenerationSearch } from '../../../lib/adapters/generations/search-whole.ts'
import { createGenerationStore } from '../../../lib/adapters/generations/store.ts'
import { createGenerationWriter } from '../../../lib/adapters/generations/writer.ts'
import { BRIDGE_FILE } from '../../../lib/domain/bridge.ts'
import { embedLexical } from '../../../lib/domain/lexical.ts'
import { computeDigest, type Manifest, refOf } from '../../../lib/domain/manifest.ts'
import type { Model } from '../../../lib/domain/model.ts'
import type { Embedder } from '../../../lib/ports/embedder.ts'
import { makeGeneration, makeModel } from '../../support/generation.ts'
import { raised } from '../../support/raised.ts'
import { makeSplitContext } from '../../support/split.ts'
import { makeTempDir } from '../../support/temp.ts'

const DIMENSIONS = 64
/** A model that gives the same values in the reverse order, and the map that turns them round again. */
const REVERSED: Model = { ...makeModel(DIMENSIONS), name: 'reversed', fingerprint: 'reversed' }
const MAP = new Float32Array(DIMENSIONS * DIMENSIONS)
for (let at = 0; at < DIMENSIONS; at++) MAP[at * DIMENSIONS + (DIMENSIONS - 1 - at)] = 1

const reversed: Embedder = {
  embed: async (texts) => {
    const rows = texts.map((text) => embedLexical([text], DIMENSIONS).reverse())
    return Float32Array.from(rows.flatMap((row) => [...row]))
  },
}

let root: string
let former: Manifest
let bridged: Manifest

test.before.each(async () => {
  root = makeTempDir()
  former = await makeGeneration(root)
  bridged = await write('dg_2')
})

test('makes a generation of the same files, shared with the former one, and its own map and golden queries', async () => {
  assert.equal(await createGenerationStore(root).read('dg_2'), bridged)
  const inodeOf = async (name: string, path: string) => (await stat(join(root, name, path))).ino
  for (const { path } of former.files) {
    const isOwn = path === 'golden.json'
    assert.is((await inodeOf('dg_1', path)) !== (await inodeOf('dg_2', path)), isOwn, path)
  }
  assert.equal((await readdir(root)).sort(), ['dg_1', 'dg_2'])
})

test('is measured by texts that are embedded under the model of its queries and led over the map', async () => {
  const gates = await measure(reversed)
  assert.equal(
    gates.filter(({ passed }) => !passed),
    [],
  )
  assert.match(gates.find(({ name }) => name === 'golden')!.detail ?? '', /own pairs: 1, 1 met/)
  const astray = await measure({ embed: async (texts) => embedLexical(texts, DIMENSIONS) })
  assert.equal(
    astray.filter(({ passed }) => !passed).map(({ name }) => name),
    ['golden'],
  )
})

test('is corrupt with another map than its manifest says, or none', async () => {
  const path = join(root, 'dg_2', BRIDGE_FILE)
  const bytes = await readFile(path)
  bytes[bytes.length - 1]! ^= 1
  await writeFile(path, bytes)
  assert.match((await raised('corrupt', measure(reversed))).message, 'bridge.npy: SHA-256 is')
  await rm(path)
  assert.match((await raised('corrupt', measure(reversed))).message, 'bridge.npy: is missing')
})

test('takes no name that is taken, and leaves nothing half made', async () => {
  assert.match((await raised('usage', write('dg_2'))).message, 'dg_2 was made by somebody else')
  await rm(join(root, 'dg_1', 'clust_0', 'items.idx'))
  const [outcome] = await Promise.allSettled([write('dg_3')])
  assert.match(String(outcome.status === 'rejected' && outcome.reason), 'ENOENT')
  assert.equal((await readdir(root)).sort(), ['dg_1', 'dg_2'])
})

test.run()

async function write(generation: string): Promise<Manifest> {
  const { queries, k } = await createGenerationSearch(root).readGolden(former)
  const [first] = queries
  return await createGenerationWriter(root).writeBridge({
    from: former,
    generation,
    map: MAP,
    golden: {
      k,
      queries: queries.map(({ text: _text, ...query }) => query),
      pairs: [{ query: first!.text!, id: first!.id }],
    },
    complete: (files) => {
      const { digest: _digest, ...same } = former
      const bridge = {
        model: REVERSED,
        map: BRIDGE_FILE,
        kind: 'procrustes',
        pairs: 9,
        heldOut: 3,
        keptRecall: 1,
      } as const
      const undigested = { ...same, generation, parent: refOf(former), bridge, files }
      return { ...undigested, digest: computeDigest(undigested) }
    },
  })
}

async function measure(embedder: Embedder) {
  const limits = 'gates: { selfRouting: 0.5, recall: 0.1 }'
  const { gateContext } = makeSplitContext(root, undefined as never, limits)
  return await createGenerationStore(root).measure(bridged, { ...gateContext, model: REVERSED, embedder })
}
