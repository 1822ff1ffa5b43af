import { readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { renderNpyHeader } from '../../lib/adapters/files/npy.ts'
import { embedLexical } from '../../lib/domain/lexical.ts'
import { computeDigest, MANIFEST_FILE, type Manifest } from '../../lib/domain/manifest.ts'
import { editVectors, forgeGeneration, readManifest } from '../support/damage.ts'
import { type Fleet, makeFleet, TEST_MODEL } from '../support/fleet.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'

const DIMENSIONS = TEST_MODEL.dimensions
let fleet: Fleet

test.before(async () => {
  fleet = await makeFleet()
  await writeQuestions(fleet.path('good.jsonl'), makeQuestions('good', 240))
  assert.is((await fleet.run('split-index', fleet.path('good.jsonl'))).code, 0)
  assert.is((await fleet.run('update-indices')).code, 0)
})
test.after(async () => {
  await fleet.stop()
})

/** Spoils a copy of the good generation under a number of its own and expects what the next two runs do. */
function refuses(what: string, code: number, spoil: (name: string, copy: string) => Promise<void>): void {
  test(`refuses ${what} with exit code ${code}, and the next unattended run with 14`, async () => {
    const name = `dg_${++lastNumber}`
    const copy = fleet.path('dgs', name)
    await spoil(name, copy)
    const before = (await fleet.run('status')).json
    const first = await fleet.run('update-indices')
    assert.is(first.code, code, `${first.stdout}\n${first.stderr}`)
    assert.is(first.json.exitCode, code)
    assert.ok(first.json.error.message.length > 20)
    const second = await fleet.run('update-indices')
    assert.is(second.code, 14, `${second.stdout}\n${second.stderr}`)
    const after = (await fleet.run('status')).json
    assert.equal(after.serving, before.serving)
    assert.equal(after.services, before.services)
    assert.equal(after.releases, before.releases)
    assert.is(after.quarantined.length, before.quarantined.length + 1)
    await rm(copy, { recursive: true })
  })
}
let lastNumber = 10

const forge = (
  name: string,
  edit: (copy: string, manifest: Manifest) => Promise<Partial<Manifest> | undefined>,
) => forgeGeneration(fleet.path('dgs'), { from: 'dg_1', to: name }, edit)
const forgeUnspoiled = (name: string) => forge(name, async () => undefined)

refuses('a flipped byte', 12, async (name, copy) => {
  await forgeUnspoiled(name)
  const path = `${copy}/clust_1/vectors.npy`
  const bytes = await readFile(path)
  bytes[777] = bytes[777]! ^ 1
  await writeFile(path, bytes)
})

refuses('truncated vectors', 12, async (name, copy) => {
  await forgeUnspoiled(name)
  await truncate(`${copy}/clust_0/vectors.npy`, 5000)
})

refuses('a missing shard', 12, async (name, copy) => {
  await forgeUnspoiled(name)
  await rm(`${copy}/clust_2`, { recursive: true })
})

refuses('the manifest of another generation', 12, async (name, copy) => {
  await forgeUnspoiled(name)
  await writeFile(`${copy}/${MANIFEST_FILE}`, await readFile(fleet.path('dgs', 'dg_1', MANIFEST_FILE)))
})

refuses('vectors of other dimensions than the manifest says', 12, async (name) => {
  await forge(name, async (copy, manifest) => {
    for (const { id, items } of manifest.clusters) {
      await writeVectors(`${copy}/clust_${id}/vectors.npy`, items, DIMENSIONS / 2)
    }
    return undefined
  })
})

refuses('a model of other dimensions than queries are embedded with', 13, async (name) => {
  await forge(name, async (copy, manifest) => {
    for (const { id, items } of manifest.clusters) {
      await writeVectors(`${copy}/clust_${id}/vectors.npy`, items, DIMENSIONS / 2)
    }
    await writeVectors(`${copy}/centroids.npy`, manifest.clusters.length, DIMENSIONS / 2)
    const golden = JSON.parse(await readFile(`${copy}/golden.json`, 'utf8'))
    for (const query of golden.queries) query.vector = query.vector.slice(0, DIMENSIONS / 2)
    await writeFile(`${copy}/golden.json`, JSON.stringify(golden))
    return { model: { ...manifest.model, dimensions: DIMENSIONS / 2 } }
  })
})

refuses('a wrong count', 12, async (name) => {
  await forge(name, async (_copy, { clusters }) => ({
    clusters: clusters.map((cluster, index) =>
      index === 0 ? { ...cluster, items: cluster.items + 1 } : cluster,
    ),
  }))
})

refuses('rows that are not numbers', 13, async (name) => {
  await forge(name, async (copy) => {
    await editVectors(`${copy}/clust_0/vectors.npy`, (values) => values.fill(Number.NaN, 0, DIMENSIONS))
    return undefined
  })
})

refuses('swapped centroids', 13, async (name) => {
  await forge(name, async (copy) => {
    await editVectors(`${copy}/centroids.npy`, (values) => {
      const first = values.slice(0, DIMENSIONS)
      values.copyWithin(0, DIMENSIONS, 2 * DIMENSIONS)
      values.set(first, DIMENSIONS)
    })
    return undefined
  })
})

refuses('items that are out of step with their vectors', 13, async (name) => {
  await forge(name, async (copy) => {
    const path = `${copy}/clust_0/items.jsonl`
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    const shifted = [...lines.slice(1), lines[0]!]
    await writeFile(path, `${shifted.join('\n')}\n`)
    await writeOffsets(
      `${copy}/clust_0/items.idx`,
      shifted,
      (await readFile(`${copy}/clust_0/items.idx`)).length,
    )
    return undefined
  })
})

refuses('the vectors of another model of the same dimensions', 13, async (name, copy) => {
  const questions = makeQuestions('good', 240)
  const vectors = embedLexical(
    questions.map((question) => question.text),
    DIMENSIONS,
  )
  const rows = questions.map((question, row) => {
    const embedding = [...vectors.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS)].reverse()
    return `${JSON.stringify({ ...question, embedding })}\n`
  })
  await writeFile(fleet.path('foreign.jsonl'), rows.join(''))
  const profile = await readFile(fleet.profile, 'utf8')
  await writeFile(fleet.profile, profile.replace('gates:\n', 'gates:\n  model: 0\n'))
  const split = await fleet.run('split-index', fleet.path('foreign.jsonl'), '--generation', name)
  await writeFile(fleet.profile, profile)
  assert.is(split.code, 0, split.stderr)
  assert.is((await readManifest(copy)).generation, name)
})

refuses('a symbolic link', 12, async (name, copy) => {
  await forgeUnspoiled(name)
  await rename(`${copy}/clust_0/vectors.npy`, fleet.path('outside.npy'))
  await symlink(fleet.path('outside.npy'), `${copy}/clust_0/vectors.npy`)
})

refuses('a manifest that reaches outside its directory', 12, async (name, copy) => {
  await forgeUnspoiled(name)
  const manifest = await readManifest(copy)
  const files = manifest.files.map((file, index) =>
    index === 0 ? { ...file, path: '../../outside.npy' } : file,
  )
  const forged = { ...manifest, files }
  await writeFile(`${copy}/${MANIFEST_FILE}`, JSON.stringify({ ...forged, digest: computeDigest(forged) }))
})

test('refuses bad content again when it comes back under another number', async () => {
  const edit = async (copy: string) => {
    await editVectors(`${copy}/clust_1/vectors.npy`, (values) => values.fill(Number.NaN, 0, 3))
    return undefined
  }
  await forge('dg_40', edit)
  assert.is((await fleet.run('update-indices')).code, 13)
  await forge('dg_41', edit)
  assert.is((await fleet.run('update-indices')).code, 14)
})

async function writeVectors(path: string, rows: number, dimensions: number): Promise<void> {
  const values = new Float32Array(rows * dimensions).fill(1 / Math.sqrt(dimensions))
  await writeFile(
    path,
    Buffer.concat([renderNpyHeader('<f4', [rows, dimensions]), new Uint8Array(values.buffer)]),
  )
}

/** Writes the offsets of lines, with or without the end, as the file had it. */
async function writeOffsets(path: string, lines: readonly string[], bytes: number): Promise<void> {
  const offsets = new BigUint64Array(bytes / 8)
  let at = 0
  for (let index = 0; index < offsets.length; index++) {
    offsets[index] = BigInt(at)
    at += Buffer.byteLength(lines[index] ?? '') + 1
  }
  await writeFile(path, new Uint8Array(offsets.buffer))
}

test.run()
