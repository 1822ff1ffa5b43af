import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { orderClusters } from '../../lib/domain/clusters.ts'
import { METRICS } from '../../lib/domain/model.ts'
import { createRouter } from '../../services/gateway/route-queries.ts'
import { makeManifest } from '../support/fakes/manifest.ts'
import { makeModel } from '../support/generation.ts'

const DIMENSIONS = 3

test('asks the clusters in the order in which they were when recall was measured', () => {
  const row = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: DIMENSIONS, maxLength: DIMENSIONS })
  const rows = fc.array(row, { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(
      rows,
      row,
      fc.constantFrom(...METRICS),
      fc.integer({ min: 1, max: 8 }),
      (list, query, metric, nprobe) => {
        const centroids = Float32Array.from(list.flat())
        const clusters = list.map((_, at) => ({ id: 10 - at, items: 1 }))
        const manifest = makeManifest('dg_1', { clusters, model: { ...makeModel(DIMENSIONS), metric } })
        const [routed] = createRouter({ manifest, centroids })([Float32Array.from(query)], nprobe)
        const right = orderClusters(query, centroids, metric).slice(0, nprobe)
        assert.equal(
          routed!.map(({ cluster }) => cluster),
          right.map((at) => clusters[at]!.id),
        )
      },
    ),
    { seed: 4 },
  )
})

test.run()
