import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createLabelledTransport } from '../../../lib/adapters/swarm/labelled-transport.ts'
import type { Mark, NodeLabels } from '../../../lib/adapters/swarm/node-labels.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { Manifest } from '../../../lib/domain/manifest.ts'
import type { Mender } from '../../../lib/ports/mender.ts'
import type { Transport } from '../../../lib/ports/transport.ts'
import { raised } from '../../support/raised.ts'

const signal = new AbortController().signal
const MANIFEST = { generation: 'dg_8', digest: 'sha256:8' } as Manifest
const HELD = { name: 'dg_8', digest: 'sha256:8' }

test('a node is marked once a generation lies there whole, not before', async () => {
  const { transport, calls } = makeSubject()
  await transport.deliver('n1', '/dgs/dg_8', MANIFEST, { signal })
  assert.equal(calls, ['deliver', 'mark n1 dg_8'])
})

test('a delivery that failed leaves no mark: what it should have mended is damaged', async () => {
  const { transport, calls } = makeSubject({ failing: ['deliver'] })
  await raised('corrupt', transport.deliver('n1', '/dgs/dg_8', MANIFEST, { signal }))
  assert.equal(calls, ['deliver', 'unmark n1 dg_8'])
})

test('a node loses the mark before the generation is taken away', async () => {
  const { transport, calls } = makeSubject()
  await transport.remove('n1', 'dg_8', signal)
  assert.equal(calls, ['unmark n1 dg_8', 'remove'])
})

test('looking for damage takes no mark away, and so no task', async () => {
  const { transport, calls } = makeSubject({ failing: ['verify'] })
  await raised('corrupt', transport.verify('n1', MANIFEST, signal))
  assert.equal(calls, ['verify'])
})

test('what lies on a node without its mark counts as not held, so that it is delivered again', async () => {
  assert.equal((await makeSubject({ marks: null }).transport.inspect('n1', signal)).generations, [])
  assert.equal((await makeSubject().transport.inspect('n1', signal)).generations, [HELD])
})

test('what was unmarked in vain is told beside the first error, not in its place', async () => {
  const { transport } = makeSubject({ failing: ['deliver', 'unmark n1 dg_8'] })
  const error = await raised('corrupt', transport.deliver('n1', '/dgs/dg_8', MANIFEST, { signal }))
  assert.match(error.message, /^deliver is damaged; its mark on n1 could not be taken away either: unmark/)
  assert.is((error.cause as AggregateError).errors.length, 2)
})

test('a node is marked with the shards that were delivered, and holds no others', async () => {
  const { transport, calls } = makeSubject({ marks: [0, 3] })
  await transport.deliver('n1', '/dgs/dg_8', MANIFEST, { signal, clusters: [0, 3, 5] })
  assert.equal(calls, ['deliver', 'mark n1 dg_8 0,3,5'])
  const [held] = (await transport.inspect('n1', signal)).generations
  assert.equal(held?.clusters, [0, 3])
})

test('a delivery that failed leaves marks of shards that are sound, so that their tasks stay', async () => {
  const work = { signal, clusters: [0, 3] }
  const sound = makeSubject({ failing: ['deliver'], marks: [0] })
  await raised('corrupt', sound.transport.deliver('n1', '/dgs/dg_8', MANIFEST, work))
  assert.equal(sound.calls, ['deliver', 'verify'])
  const damaged = makeSubject({ failing: ['deliver', 'verify'], marks: [0] })
  await raised('corrupt', damaged.transport.deliver('n1', '/dgs/dg_8', MANIFEST, work))
  assert.equal(damaged.calls, ['deliver', 'verify', 'unmark n1 dg_8'])
})

test('a copy that was mended is marked, and one that was not loses its mark', async () => {
  const mended = makeSubject()
  await mended.transport.mend('n1', MANIFEST, { signal, peers: ['n2'] })
  assert.equal(mended.calls, ['mend', 'mark n1 dg_8'])
  const failed = makeSubject({ failing: ['mend'] })
  await raised('corrupt', failed.transport.mend('n1', MANIFEST, { signal, peers: ['n2'] }))
  assert.equal(failed.calls, ['mend', 'unmark n1 dg_8'])
})

type Options = { readonly failing?: readonly string[]; readonly marks?: Mark }

function makeSubject({ failing = [], marks = 'all' }: Options = {}) {
  const calls: string[] = []
  const call = async <T>(name: string, answer: T): Promise<T> => {
    calls.push(name)
    if (failing.includes(name)) throw new LongshoreError('corrupt', `${name} is damaged`)
    return answer
  }
  const inner: Transport & Mender = {
    inspect: async (name) => ({ name, reachable: true, freeBytes: 1, memoryBytes: 1, generations: [HELD] }),
    deliver: () => call('deliver', 7),
    verify: () => call('verify', undefined),
    mend: () => call('mend', undefined),
    readManifest: async () => MANIFEST,
    remove: () => call('remove', undefined),
    close: async () => undefined,
  }
  const labels: NodeLabels = {
    readMarks: async () => () => marks,
    mark: (node, { name }, _signal, clusters) => {
      return call(['mark', node, name, ...(clusters ? [clusters.join()] : [])].join(' '), undefined)
    },
    unmark: (node, name) => call(`unmark ${node} ${name}`, undefined),
  }
  return { transport: createLabelledTransport(inner, labels), calls }
}

test.run()
