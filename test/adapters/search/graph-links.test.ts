import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildGraph, openGraph } from '../../../lib/adapters/search/graph.ts'
import { checkGraphFile, KEY_BYTES, NODE_HEAD_BYTES } from '../../../lib/adapters/search/graph-file.ts'
import { holdFile } from '../../../lib/adapters/search/held-file.ts'
import { raised } from '../../support/raised.ts'
import { clusteredRows } from '../../support/rows.ts'
import { ROOT } from '../../support/shared.ts'
import { makeTempDir } from '../../support/temp.ts'

const [dimensions, items] = [8, 600]
const shape = { dimensions, metric: 'dot', items } as const
const path = join(makeTempDir(), 'index.usearch')
buildGraph(clusteredRows(items, { dimensions }), shape, path)
const whole = readFileSync(path)
const { nodesAt, levels, links, baseLinks } = checkGraphFile(holdFile(path), shape)
const lengthOf = (node: number) => NODE_HEAD_BYTES + 4 * (1 + baseLinks + levels[node]! * (1 + links))
const placeOf = (node: number) =>
  nodesAt + [...levels.keys()].slice(0, node).reduce((sum, former) => sum + lengthOf(former), 0)
const upper = levels.findIndex((level) => level > 0)

/** What opening the graph says once `spoil` has changed its bytes. */
async function openSpoiled(spoil: (bytes: Buffer) => void): Promise<string> {
  const bytes = Buffer.from(whole)
  spoil(bytes)
  const copy = join(makeTempDir(), 'index.usearch')
  writeFileSync(copy, bytes)
  const { message } = await raised('corrupt', (async () => openGraph(copy, shape))())
  assert.match(message, `${copy}: `)
  return message
}

test('refuses a link to a node that is not there', async () => {
  const firstLink = placeOf(7) + NODE_HEAD_BYTES + 4
  for (const target of [items, 0x7fffffff, 0xffffffff]) {
    const message = await openSpoiled((bytes) => bytes.writeUInt32LE(target, firstLink))
    assert.match(message, `node 7 links to ${target} in level 0`)
  }
})

test('refuses a link of an upper level to a node that is in the lowest alone', async () => {
  const firstLink = placeOf(upper) + NODE_HEAD_BYTES + 4 * (1 + baseLinks) + 4
  const low = levels.indexOf(0)
  const message = await openSpoiled((bytes) => {
    bytes.writeUInt32LE(1, firstLink - 4)
    bytes.writeUInt32LE(low, firstLink)
  })
  assert.match(message, `node ${upper} links to ${low} in level 1`)
})

test('refuses more links than a node has room for', async () => {
  const count = placeOf(9) + NODE_HEAD_BYTES
  assert.match(await openSpoiled((bytes) => bytes.writeUInt32LE(baseLinks + 1, count)), 'node 9 has 33 links')
})

test('refuses nodes that are of another row or level than their place says', async () => {
  const key = await openSpoiled((bytes) => bytes.writeBigUInt64LE(12n, placeOf(11)))
  assert.match(key, 'node 11 is not in its place')
  const level = await openSpoiled((bytes) => bytes.writeInt16LE(5, placeOf(11) + KEY_BYTES))
  assert.match(level, 'node 11 is not in its place')
})

test('refuses levels that are none, and a first node that is not in the highest', async () => {
  const levelsAt = nodesAt - 2 * items
  assert.match(await openSpoiled((bytes) => bytes.writeInt16LE(-1, levelsAt)), 'levels below 0')
  const highest = nodesAt - 2 * items - 16
  assert.match(await openSpoiled((bytes) => bytes.writeBigUInt64LE(9n, highest)), 'highest level 9')
})

test('outlives a graph with any wrong bytes among its nodes: refuses it, or finds rows that there are', () => {
  const script = `${ROOT}test/support/damaged-graphs.ts`
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script, '300', '1'], {
    encoding: 'utf8',
  })
  assert.equal([status, signal], [0, null], stderr)
  const { refused, searched } = JSON.parse(stdout) as { refused: number; searched: number }
  assert.ok(refused > 50 && searched > 50, stdout)
})

test.run()
