import { statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildGraph, openGraph } from '../../../lib/adapters/search/graph.ts'
import { clusteredRows } from '../../support/rows.ts'
import { mountSmallDisk } from '../../support/small-disk.ts'
import { makeTempDir } from '../../support/temp.ts'

const [dimensions, items] = [16, 3000]
const shape = { dimensions, metric: 'dot', items } as const
const PAGE = 4096
const vectors = clusteredRows(items, { dimensions })
const path = join(makeTempDir(), 'index.usearch')
buildGraph(vectors, shape, path)
const pages = Math.ceil(statSync(path).size / PAGE)

for (const [what, room] of [
  ['nearly all', 1],
  ['half', pages / 2],
  ['the last bytes', pages - 1],
] as const) {
  test(`says that a disk is full where it has no room for ${what} of a graph`, () => {
    const directory = makeTempDir()
    const disk = mountSmallDisk(directory, Math.floor(room) * PAGE)
    try {
      buildGraph(vectors, shape, join(directory, 'index.usearch'))
      assert.unreachable()
    } catch (error) {
      assert.is((error as NodeJS.ErrnoException).code, 'ENOSPC', String(error))
    } finally {
      disk.unmount()
    }
  })
}

test('writes a graph to a disk that just has room for it', () => {
  const directory = makeTempDir()
  const disk = mountSmallDisk(directory, pages * PAGE)
  const full = join(directory, 'index.usearch')
  buildGraph(vectors, shape, full)
  openGraph(full, shape).close()
  disk.unmount()
})

test.run()
