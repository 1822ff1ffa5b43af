import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Manifest } from '../../lib/domain/manifest.ts'
import { editVectors } from '../support/damage.ts'
import { makeGeneration } from '../support/generation.ts'
import { call, renderRefs, runToEnd, startService } from '../support/services.ts'
import { makeTempDir } from '../support/temp.ts'

type Damage = (directory: string, manifest: Manifest) => Promise<Partial<Record<string, string>> | undefined>

async function startDamaged(kind: 'index' | 'gateway', damage: Damage) {
  const directory = makeTempDir()
  const manifest = await makeGeneration(directory, { dimensions: 16 })
  const env = await damage(join(directory, 'dg_1'), manifest)
  return await runToEnd(kind, {
    DATA_DIR: directory,
    CLUSTER: '0',
    ENDPOINTS_FILE: join(directory, 'endpoints.json'),
    GENERATIONS: renderRefs([manifest]),
    ...(env as Record<string, string>),
  })
}

const cases: Record<string, ['index' | 'gateway', Damage, number, RegExp]> = {
  'vectors that are cut short': [
    'index',
    async (directory) => {
      await truncate(join(directory, 'clust_0', 'vectors.npy'), 1000)
      return undefined
    },
    12,
    /vectors\.npy: has 1000 bytes/,
  ],
  'a header that tells of another shape': [
    'index',
    async (directory) => {
      const path = join(directory, 'clust_0', 'vectors.npy')
      const bytes = await readFile(path)
      bytes.write(bytes.toString('latin1', 0, 128).replace(', 16)', ', 61)'), 'latin1')
      await writeFile(path, bytes)
      return undefined
    },
    12,
    /holds <f4 C \[\d+, 61\], expected <f4 C \[\d+, 16\]/,
  ],
  'a missing shard': [
    'index',
    async (directory) => {
      await rm(join(directory, 'clust_0'), { recursive: true })
      return undefined
    },
    12,
    /local does not hold the shard of cluster 0 of dg_1/,
  ],
  'vectors that golden queries do not find again, where it has to look before it serves': [
    'index',
    async (directory) => {
      await editVectors(join(directory, 'clust_0', 'vectors.npy'), (values) => values.reverse())
      return { SELF_CHECK: '1' }
    },
    12,
    /dg_1 does not pass its golden queries: golden query \d+/,
  ],
  'another generation under the name': [
    'index',
    async () => ({ GENERATIONS: `dg_1@sha256:${'0'.repeat(64)}` }),
    12,
    /digest is sha256:.*, expected sha256:0000/,
  ],
  'a manifest that was edited': [
    'index',
    async (directory, manifest) => {
      await writeFile(
        join(directory, 'manifest.json'),
        JSON.stringify({ ...manifest, parent: { name: 'dg_0', digest: 'x' } }),
      )
      return undefined
    },
    12,
    /its contents give/,
  ],
  'centroids that were exchanged': [
    'gateway',
    async (directory) => {
      await editVectors(join(directory, 'centroids.npy'), (values) => values.reverse())
      return undefined
    },
    12,
    /centroids\.npy: its contents differ/,
  ],
  'a generation that is not there': [
    'gateway',
    async () => ({ GENERATIONS: `dg_9@sha256:${'0'.repeat(64)}` }),
    10,
    /dg_9\/manifest\.json/,
  ],
  'without a word of where other services are': [
    'gateway',
    async () => ({ ENDPOINTS_FILE: '' }),
    2,
    /ENDPOINTS_DNS: expected a prefix, or ENDPOINTS_FILE: a path/,
  ],
  'a policy that does not exist': [
    'gateway',
    async () => ({ PARTIAL: 'maybe' }),
    2,
    /PARTIAL: expected fail or partial/,
  ],
  'a cluster that does not exist': ['index', async () => ({ CLUSTER: '7' }), 12, /has no cluster 7/],
  'settings that make no sense': [
    'index',
    async () => ({ CLUSTER: 'seven' }),
    2,
    /CLUSTER: expected a number/,
  ],
}

for (const [what, [kind, damage, code, message]] of Object.entries(cases)) {
  test(`does not serve ${what}: ends with ${code} and one line that tells why`, async () => {
    const ended = await startDamaged(kind, damage)
    assert.is(ended.code, code, ended.log)
    const [line, ...more] = ended.log.trim().split('\n')
    assert.equal(more, [])
    const told = JSON.parse(line!)
    assert.match(told.message, message)
    assert.is(told.service, kind)
  })
}

test('fails its check when the disk changed what the manifest promised', async () => {
  const directory = makeTempDir()
  const manifest = await makeGeneration(directory, { dimensions: 16 })
  await editVectors(join(directory, 'dg_1', 'clust_0', 'vectors.npy'), (values) => values.reverse())
  const index = await startService('index', {
    DATA_DIR: directory,
    CLUSTER: '0',
    GENERATIONS: renderRefs([manifest]),
  })
  const { status, body } = await call(`${index.url}/v1/check/dg_1`)
  await index.stop()
  assert.is(status, 200)
  assert.is(body.passed, false)
  assert.ok(body.recall < 0.5)
  assert.match(body.problem, /golden query \d+: \S+ (is not found|has the score)/)
})

test('refuses a kind of service that does not exist', async () => {
  const { code, log } = await runToEnd('nothing' as 'index', {})
  assert.is(code, 2)
  assert.match(log, /gateway, index, extraction/)
})

test.run()
