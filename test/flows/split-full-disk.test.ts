import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { exitCodeOf } from '../../lib/domain/errors.ts'
import { split } from '../../lib/flows/split.ts'
import { raised } from '../support/raised.ts'
import { mountSmallDisk } from '../support/small-disk.ts'
import { makeClusters, makeInput, makeRows, makeSplitContext } from '../support/split.ts'
import { makeTempDir } from '../support/temp.ts'

const ROWS = 2400
const INPUT = makeInput({ ...makeRows(ROWS), ...makeClusters(ROWS) })
const PAGE = 4096

const splitInto = (root: string) =>
  split(makeSplitContext(root, INPUT, 'split: {search: hnsw}').context, { path: 'rows' })

/** Bytes of a generation's files that end as `end`, in whole pages. */
async function measure(directory: string, end: string): Promise<number> {
  const files = (await readdir(directory, { recursive: true })).filter((file) => file.endsWith(end))
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(directory, file))).size))
  return sizes.reduce((sum, bytes) => sum + PAGE * Math.ceil(bytes / PAGE), 0)
}

test('leaves nothing and says why when the disk is full while graphs are saved, and splits once there is room', async () => {
  const root = makeTempDir()
  const { json } = await splitInto(root)
  const whole = await measure(join(root, 'dg_1'), '')
  const graphs = await measure(join(root, 'dg_1'), '.usearch')
  const small = makeTempDir()
  const disk = mountSmallDisk(small, whole)
  try {
    for (const share of [0.05, 0.5, 0.95]) {
      disk.resize(whole - Math.ceil(share * graphs))
      const error = await raised('remote', splitInto(small))
      assert.is(exitCodeOf(error), 30)
      assert.match(error.message, 'no space left on the disk')
      assert.match(error.hint ?? '', 'free some space')
      assert.equal(await readdir(small), [])
    }
    disk.resize(2 * whole)
    assert.is((await splitInto(small)).json.digest, json.digest)
  } finally {
    disk.unmount()
  }
})

test.run()
