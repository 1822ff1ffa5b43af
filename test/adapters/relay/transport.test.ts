import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import { countBytes } from '../../../lib/domain/manifest.ts'
import { selectFiles } from '../../../lib/domain/portions.ts'
import { eventually } from '../../support/eventually.ts'
import { writeGenerationFiles } from '../../support/fakes/generation-files.ts'
import { flipByte, listAll } from '../../support/files.ts'
import { makeTempDir } from '../../support/temp.ts'
import { type RelaySystem, type SystemOptions, startRelaySystem } from './relay-system.ts'

const NODES = ['n1', 'n2', 'n3']
const NEVER = new AbortController().signal
const LARGE = 1024 * 1024
/** As a link between this machine and the nodes, so that it is no matter of chance how much leaves. */
const LINK = { perNode: null, total: 5_000_000 }

const systems: RelaySystem[] = []
test.after.each(async () => {
  for (const { transport } of systems.splice(0)) await transport.close()
})

function start(options: SystemOptions = {}): RelaySystem {
  const system = startRelaySystem(options)
  systems.push(system)
  return system
}

function makeSource() {
  return writeGenerationFiles(makeTempDir(), 'dg_1', (path) => (path.endsWith('.npy') ? LARGE : 1000))
}

type Results = Awaited<ReturnType<RelaySystem['deliver']>>
const sum = (results: Results, key: 'sent' | 'arrived') =>
  [...results.values()].reduce((total, { told }) => total + told[key], 0)

test('brings a generation whole to all nodes, while one copy of it leaves', async () => {
  const source = await makeSource()
  const { deliver, transport, shell, home } = start({ rates: LINK })
  const size = countBytes(source.manifest)
  const results = await deliver(NODES, source)
  for (const [node, { result, told }] of results) {
    assert.equal(result, { status: 'fulfilled', value: size })
    assert.is(told.arrived, size)
    assert.equal(told.milestones, ['started', 'firstByte', 'received', 'whole', 'published'])
    await transport.verify(node, source.manifest, NEVER)
    const strangers = listAll(home(node)).filter((name) => /partial|pieces|patch/.test(name))
    assert.equal(strangers, [])
  }
  assert.ok(sum(results, 'sent') <= 1.15 * size, `${sum(results, 'sent') / size} copies left`)
  await eventually(() => assert.is(shell.relays(), 0))
})

test('begins at once on nodes where it was expected, with the relays that wait there', async () => {
  const source = await makeSource()
  const { deliver, transport, shell, notes } = start()
  transport.expect!(NODES)
  assert.is(countStarts(shell), 3)
  shell.signalRelays('n2', 'SIGKILL')
  await eventually(() => assert.is(shell.relays(), 2))
  await deliver(NODES, source)
  assert.is(countStarts(shell), 4)
  assert.equal(notes, [])
})

test('leaves no relay on nodes where a delivery was expected that did not come', async () => {
  const { transport, shell } = start()
  transport.expect!(NODES)
  await transport.close()
  assert.is(shell.relays(), 0)
})

test('brings each node its own shards, each of which leaves once and is passed on', async () => {
  const source = await makeSource()
  const { deliver, transport, home } = start({ rates: LINK })
  const clusters = { n1: [0], n2: [0, 1], n3: [] }
  const results = await deliver(NODES, source, { clusters })
  for (const [node, { result, told }] of results) {
    const own = clusters[node as keyof typeof clusters]
    const bytes = countBytes({ files: selectFiles(source.manifest, own) })
    assert.equal(result, { status: 'fulfilled', value: bytes })
    assert.is(told.arrived, bytes)
    await transport.verify(node, source.manifest, NEVER, own)
    const [held] = (await transport.inspect(node, NEVER)).generations
    assert.equal(held?.clusters, own.length === 2 ? undefined : own)
    assert.equal(
      listAll(home(node)).filter((name) => /partial|pieces/.test(name)),
      [],
    )
  }
  const size = countBytes(source.manifest)
  assert.ok(sum(results, 'sent') <= 1.15 * size, `${sum(results, 'sent') / size} copies left`)
})

test('sends nothing to nodes that hold it already', async () => {
  const source = await makeSource()
  const { deliver } = start()
  await deliver(NODES, source)
  assert.is(sum(await deliver(NODES, source), 'arrived'), 0)
})

test('sends directly where a relay cannot be started, says why, and relays to the others', async () => {
  const source = await makeSource()
  const { deliver, transport, shell, notes } = start()
  shell.bare.add('n2')
  const results = await deliver(NODES, source)
  for (const node of NODES) await transport.verify(node, source.manifest, NEVER)
  assert.is(notes.length, 1)
  assert.match(notes[0]!, /^n2: no relay \(Unable to find image 'longshore:test' locally\)/)
  const { sent } = results.get('n2')!.told
  assert.is(sent, countBytes(source.manifest))
})

test('goes on directly where a relay ends by itself', async () => {
  const source = await makeSource()
  const { deliver, transport, shell, notes } = start({ rates: LINK })
  const onBytes = (node: string, { arrived }: { arrived: number }) => {
    if (node === 'n2' && arrived > LARGE / 2) shell.signalRelays('n2', 'SIGKILL')
  }
  await deliver(NODES, source, { onBytes })
  for (const node of NODES) await transport.verify(node, source.manifest, NEVER)
  assert.match(notes[0]!, /^n2: no relay \(/)
})

test('a node that is lost midway fails alone, and the next run brings only what it lacks', async () => {
  const source = await makeSource()
  const size = countBytes(source.manifest)
  const { deliver, transport, shell } = start({ rates: LINK })
  let lacking = 0
  const onBytes = (node: string, { arrived }: { arrived: number }) => {
    if (node === 'n2' && arrived > size / 2 && lacking === 0) {
      lacking = size - arrived
      shell.cut('n2')
    }
  }
  const first = await deliver(NODES, source, { onBytes })
  assert.equal(
    NODES.map((node) => first.get(node)!.result.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  for (const node of ['n1', 'n3']) await transport.verify(node, source.manifest, NEVER)
  assert.ok(sum(first, 'sent') <= 1.4 * size, `${sum(first, 'sent') / size} copies left`)
  shell.restore('n2')
  const again = await deliver(['n2'], source)
  assert.ok(sum(again, 'arrived') <= 1.05 * lacking + 65_536, `${sum(again, 'arrived')} of ${lacking}`)
  await transport.verify('n2', source.manifest, NEVER)
})

test('an interrupted command goes on where each node stands', async () => {
  const source = await makeSource()
  const size = countBytes(source.manifest)
  const root = makeTempDir()
  const { deliver, shell } = start({ root, rates: LINK })
  const controller = new AbortController()
  const onBytes = (_node: string, { arrived }: { arrived: number }) => {
    if (arrived > size / 2) controller.abort(new LongshoreError('interrupted', 'interrupted'))
  }
  const first = await deliver(NODES, source, { signal: controller.signal, onBytes })
  for (const { result } of first.values()) assert.is(result.status, 'rejected')
  await eventually(() => assert.is(shell.relays(), 0))
  const missing = 3 * size - sum(first, 'arrived')
  const next = start({ root, rates: LINK })
  const second = await next.deliver(NODES, source)
  for (const node of NODES) await next.transport.verify(node, source.manifest, NEVER)
  assert.ok(sum(second, 'arrived') <= 1.05 * missing, `${sum(second, 'arrived')} of ${missing}`)
  // What one node had got, the others have got from it.
  assert.ok(sum(second, 'sent') <= 0.6 * missing, `${sum(second, 'sent')} of ${missing} left from here`)
})

test('gives up a node that takes nothing any more, and nobody else', async () => {
  const source = await makeSource()
  const { deliver, shell } = start({ stallMs: 8000, rates: LINK })
  let isStopped = false
  const onBytes = (node: string, { arrived }: { arrived: number }) => {
    if (node !== 'n2' || arrived < LARGE || isStopped) return
    isStopped = true
    shell.signalRelays('n2', 'SIGSTOP')
  }
  const results = await deliver(NODES, source, { onBytes })
  const { result } = results.get('n2')!
  assert.match(result.status === 'rejected' ? result.reason.message : '', /^n2: got nothing .* for 8 s/)
  assert.equal(
    ['n1', 'n3'].map((node) => results.get(node)!.result.status),
    ['fulfilled', 'fulfilled'],
  )
})

test('blames no node for what a narrow limit holds back', async () => {
  const source = await writeGenerationFiles(makeTempDir(), 'dg_1', (path) =>
    path.endsWith('.npy') ? 16_384 : 100,
  )
  const { deliver } = start({ stallMs: 2000, rates: { perNode: null, total: 10_000 } })
  const results = await deliver(NODES, source)
  for (const { result } of results.values()) assert.is(result.status, 'fulfilled')
})

test('refuses a file that differs from the manifest, names it, and publishes nothing', async () => {
  const source = await makeSource()
  const { deliver, home } = start()
  flipByte(join(source.directory, 'clust_1/vectors.npy'))
  const results = await deliver(NODES, source)
  for (const [node, { result }] of results) {
    assert.match(result.status === 'rejected' ? result.reason.message : '', 'clust_1/vectors.npy')
    assert.is(result.status === 'rejected' && result.reason.kind, 'corrupt')
    assert.not(listAll(home(node)).includes('dg_1'))
  }
})

test('a node that comes later gets what the others have', async () => {
  const source = await makeSource()
  const { deliver, transport } = start({ rates: LINK })
  let late: Promise<Results> | undefined
  const onBytes = () => {
    late ??= deliver(['n4'], source)
  }
  const first = await deliver(NODES, source, { onBytes })
  const second = await late!
  await transport.verify('n4', source.manifest, NEVER)
  const copies = (sum(first, 'sent') + sum(second, 'sent')) / countBytes(source.manifest)
  assert.ok(copies <= 1.25, `${copies} copies left`)
})

test('keeps within the rate that may leave this machine', async () => {
  const source = await makeSource()
  const { deliver } = start({ rates: LINK })
  const startedAt = performance.now()
  const results = await deliver(NODES, source)
  const rate = (1000 * sum(results, 'sent')) / (performance.now() - startedAt)
  assert.ok(rate <= 1.05 * LINK.total, `${rate} bytes a second`)
})

/** How often a relay was started. */
function countStarts({ calls }: RelaySystem['shell']): number {
  return calls.filter(({ argv }) => argv.some((one) => one.includes('docker run'))).length
}

test('the secret of the run stands in no argument', async () => {
  const source = await makeSource()
  const { deliver, shell } = start()
  await deliver(NODES, source)
  const texts = shell.calls.filter(({ argv }) => argv.some((one) => one.includes('docker run')))
  assert.is(texts.length, 3)
  for (const { argv } of texts) assert.not.match(argv.join(' '), /secret|[A-Za-z0-9+/]{43}=/)
})

test.run()
