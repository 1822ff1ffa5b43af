import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createLabelledTransport } from '../../../lib/adapters/swarm/labelled-transport.ts'
import type { NodeLabels } from '../../../lib/adapters/swarm/node-labels.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { Manifest } from '../../../lib/domain/manifest.ts'
import type { Transport } from '../../../lib/ports/transport.ts'
import { rejectsWith } from '../../support/errors.ts'

const signal = new AbortController().signal
const MANIFEST = { generation: 'dg_8', digest: 'sha256:8' } as Manifest
const HELD = { name: 'dg_8', digest: 'sha256:8' }

test('a node is marked once a generation lies there whole, not before', async () => {
  const { transport, calls } = makeSubject()
  await transport.deliver('n1', '/dgs/dg_8', MANIFEST, { signal })
  assert.equal(calls, ['deliver', 'mark n1 dg_8'])
})

test('a delivery that failed leaves no mark: what it should have mended is damaged', async () => {
  const { transport, calls } = makeSubject({ failing: 'deliver' })
  await rejectsWith(transport.deliver('n1', '/dgs/dg_8', MANIFEST, { signal }), 'corrupt')
  assert.equal(calls, ['deliver', 'unmark n1 dg_8'])
})

test('a node loses the mark before the generation is taken away', async () => {
  const { transport, calls } = makeSubject()
  await transport.remove('n1', 'dg_8', signal)
  assert.equal(calls, ['unmark n1 dg_8', 'remove'])
})

test('looking for damage takes no mark away, and so no task', async () => {
  const { transport, calls } = makeSubject({ failing: 'verify' })
  await rejectsWith(transport.verify('n1', MANIFEST, signal), 'corrupt')
  assert.equal(calls, ['verify'])
})

test('what lies on a node without its mark counts as not held, so that it is delivered again', async () => {
  assert.equal((await makeSubject({ marked: [] }).transport.inspect('n1', signal)).generations, [])
  assert.equal((await makeSubject({ marked: ['dg_8'] }).transport.inspect('n1', signal)).generations, [HELD])
})

type Options = { readonly failing?: 'deliver' | 'verify'; readonly marked?: readonly string[] }

function makeSubject({ failing, marked = ['dg_8'] }: Options = {}) {
  const calls: string[] = []
  const call = async <T>(name: string, answer: T): Promise<T> => {
    calls.push(name)
    if (name === failing) throw new LongshoreError('corrupt', 'damaged')
    return answer
  }
  const inner: Transport = {
    inspect: async (name) => ({ name, reachable: true, freeBytes: 1, memoryBytes: 1, generations: [HELD] }),
    deliver: () => call('deliver', 7),
    verify: () => call('verify', undefined),
    remove: () => call('remove', undefined),
    close: async () => undefined,
  }
  const labels: NodeLabels = {
    readMarks: async () => (generation) => marked.includes(generation.name),
    mark: (node, { name }) => call(`mark ${node} ${name}`, undefined),
    unmark: (node, name) => call(`unmark ${node} ${name}`, undefined),
  }
  return { transport: createLabelledTransport(inner, labels), calls }
}

test.run()
