import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkGraphFile, LINK_BYTES, NODE_HEAD_BYTES } from '../../lib/adapters/search/graph-file.ts'
import { holdFile } from '../../lib/adapters/search/held-file.ts'
import { searchFile } from '../../lib/domain/manifest.ts'
import { scoringOf } from '../../lib/domain/similarity.ts'
import { forgeGeneration, readManifest } from '../support/damage.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { runToEnd } from '../support/services.ts'

let fleet: Fleet

test.before(async () => {
  fleet = await makeFleet()
  const profile = await readFile(fleet.profile, 'utf8')
  await writeFile(fleet.profile, profile.replace('split:\n', 'split:\n  search: hnsw\n'))
  await writeQuestions(fleet.path('items.jsonl'), makeQuestions('item', 600))
  assert.is((await fleet.run('split-index', fleet.path('items.jsonl'))).code, 0)
  assert.is((await fleet.run('update-indices')).code, 0)
})
test.after(async () => {
  await fleet.stop()
})

/** A copy of the served generation where every node in the graph of cluster 1 has these links; hashes fit. */
async function forgeLinks(name: string, targets: readonly number[]): Promise<void> {
  await forgeGeneration(fleet.path('dgs'), { from: 'dg_1', to: name }, async (copy, { model, clusters }) => {
    const shard = clusters[1]!
    const path = join(copy, searchFile(shard)!)
    const shape = { dimensions: model.dimensions, metric: scoringOf(model), items: shard.items }
    const { nodesAt, levels, links, baseLinks } = checkGraphFile(holdFile(path), shape)
    const bytes = await readFile(path)
    let at = nodesAt
    for (const level of levels) {
      at += NODE_HEAD_BYTES
      for (const [index, value] of [targets.length, ...targets].entries()) {
        bytes.writeUInt32LE(value, at + index * LINK_BYTES)
      }
      at += LINK_BYTES * (1 + baseLinks + level * (1 + links))
    }
    await writeFile(path, bytes)
    return undefined
  })
}

async function expectRefusal(code: number, message: RegExp): Promise<void> {
  const before = (await fleet.run('status')).json
  const update = await fleet.run('update-indices')
  assert.is(update.code, code, `${update.stdout}\n${update.stderr}`)
  assert.match(update.json.error.message, message)
  const after = (await fleet.run('status')).json
  assert.equal([after.serving, after.services], [before.serving, before.services])
}

test('refuses a graph with links to nowhere although its hash is right, and goes on serving', async () => {
  await forgeLinks('dg_11', [0x7fffffff])
  await expectRefusal(12, /clust_1\/index\.usearch: node 0 links to 2147483647/)
})

test('does not come up with such a graph, and says what is wrong with it', async () => {
  const { digest } = await readManifest(fleet.path('dgs', 'dg_11'))
  const { code, log } = await runToEnd('index', {
    DATA_DIR: fleet.path('dgs'),
    CLUSTER: '1',
    GENERATIONS: `dg_11@${digest}`,
  })
  assert.is(code, 12, log)
  assert.match(log, 'links to 2147483647')
})

test('refuses a graph in which too little is found although every link leads somewhere', async () => {
  await forgeLinks('dg_12', [...Array(16).keys()])
  await expectRefusal(13, /search is 0\.\d+/)
})

test.run()
