import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { UnreachableError } from '../../lib/adapters/http/unreachable.ts'
import { HttpError } from '../../services/http/http-error.ts'
import { makeCentroids, makeGatewayApp, makeItems } from '../support/gateway-app.ts'

const [CLUSTERS, DIMENSIONS] = [3, 8]
const items = makeItems(60, CLUSTERS, DIMENSIONS)
const centroids = makeCentroids(CLUSTERS, DIMENSIONS)
const vector = [...items[0]!.vector]

/** A gateway some of whose clusters do not answer while they stand in `gone`. */
function makeBroken(gone: Set<number>, more: Partial<Parameters<typeof makeGatewayApp>[0]> = {}) {
  const beforeShard = ({ cluster }: { cluster: number }) => {
    if (gone.has(cluster)) throw new UnreachableError(`index_${cluster}: cannot be reached`)
  }
  return makeGatewayApp({ items, centroids, clusters: CLUSTERS, beforeShard, ...more })
}

test('fails rather than answer in part, unless the request or the profile says otherwise', async () => {
  const gateway = makeBroken(new Set([1]))
  const failed = await gateway.post({ vector })
  assert.is(failed.status, 503)
  assert.is(failed.body.error.code, 'incomplete')
  assert.match(failed.body.error.message, /index_1/)
  assert.equal(failed.body.coverage, { asked: 3, answered: 2, complete: false })
  const willing = makeBroken(new Set([1]), { partial: 'partial' })
  assert.is((await willing.post({ vector })).status, 200)
  assert.is((await willing.post({ vector, partial: 'fail' })).status, 503)
})

test('tells a partial answer by its coverage and its head, and names who is missing', async () => {
  const gateway = makeBroken(new Set([1]))
  const { status, headers, body } = await gateway.post({ vector, partial: 'partial', k: 100 })
  assert.is(status, 200)
  assert.equal(body.coverage, { asked: 3, answered: 2, complete: false, missing: [1] })
  assert.is(headers['x-longshore-coverage'], 'partial')
  assert.is(headers['cache-control'], 'no-store')
  assert.equal(new Set(body.hits.map((hit: { cluster: number }) => hit.cluster)), new Set([0, 2]))
})

test('tells in a batch which answers are partial', async () => {
  const gateway = makeBroken(new Set([1]))
  const vectors = [0, 1, 2].map((at) => [...items[at]!.vector])
  const { status, headers, body } = await gateway.post({ vectors, nprobe: 1, partial: 'partial' })
  assert.is(status, 200)
  assert.is(headers['x-longshore-coverage'], 'partial')
  assert.equal(
    body.results.map(({ coverage }: { coverage: { complete: boolean } }) => coverage.complete),
    [true, false, true],
  )
  assert.equal(body.results[1].coverage.missing, [1])
})

test('is no answer at all when nobody answers', async () => {
  const gateway = makeBroken(new Set([0, 1, 2]))
  const { status, body } = await gateway.post({ vector, partial: 'partial' })
  assert.is(status, 503)
  assert.is(body.error.code, 'incomplete')
})

test('never takes hits from a shard that answers from something else', async () => {
  const beforeShard = ({ cluster }: { cluster: number }) => {
    if (cluster === 2) throw new HttpError(502, 'generation_mismatch', 'serves another generation')
  }
  const gateway = makeGatewayApp({ items, centroids, clusters: CLUSTERS, beforeShard })
  assert.is((await gateway.post({ vector })).status, 502)
  const { body } = await gateway.post({ vector, partial: 'partial' })
  assert.equal(body.coverage.missing, [2])
})

test('tells a bug as one, whatever the policy', async () => {
  const beforeShard = () => {
    throw new TypeError('a bug')
  }
  const gateway = makeGatewayApp({ items, centroids, clusters: CLUSTERS, beforeShard, partial: 'partial' })
  assert.is((await gateway.post({ vector })).status, 500)
})

test('asks again after a partial answer, since none is ever kept', async () => {
  const gone = new Set([1])
  const gateway = makeBroken(gone)
  const ask = () => gateway.post({ vector, partial: 'partial' })
  assert.is((await ask()).body.coverage.complete, false)
  assert.is(gateway.cache.size().entries, 0)
  gone.clear()
  assert.is((await ask()).body.coverage.complete, true)
  gone.add(1)
  assert.is((await ask()).body.coverage.complete, true, 'a whole answer was kept')
})

test('counts who is missing and which answers were partial', async () => {
  const gateway = makeBroken(new Set([1]))
  await gateway.post({ vector, partial: 'partial' })
  await gateway.post({ vector: [...items[2]!.vector], nprobe: 1 })
  const page = await gateway.readMetrics()
  assert.match(page, /longshore_shard_missing_total\{cluster="1",code="unreachable".*\} 1\n/)
  assert.match(page, /longshore_answers_total\{coverage="partial".*\} 1\n/)
  assert.match(page, /longshore_answers_total\{coverage="complete".*\} 1\n/)
})

test.run()
