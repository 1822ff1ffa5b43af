import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import { countBytes, type Manifest } from '../../lib/domain/manifest.ts'
import { selectFiles } from '../../lib/domain/portions.ts'
import type { Mender } from '../../lib/ports/mender.ts'
import type { DeliverOptions, Transport } from '../../lib/ports/transport.ts'
import { rejectsWith } from '../support/errors.ts'

type Source = { readonly directory: string; readonly manifest: Manifest }

export type TransportSubject = {
  readonly transport: Transport & Mender
  /** Two nodes that hold nothing. */
  readonly nodes: readonly [string, string]
  /** A sound generation dg_1. */
  readonly source: Source
  /** Another one of the same name. */
  readonly namesake: Source
  /** Changes a byte of a file that a node holds. */
  damageHeld(node: string, generation: string, path: string): Promise<void>
  /** Changes a byte of a file of a source. */
  damageSource(source: Source, path: string): Promise<void>
  /** Leaves a node less room than any file needs. */
  fill(node: string): Promise<void>
  /** Makes a node impossible to reach. */
  cut(node: string): Promise<void>
  /** Whether a node holds anything at all of a generation, whole or not, under any name. */
  hasTraces(node: string, generation: string): Promise<boolean>
}

const PATH = 'clust_1/vectors.npy'
const INDEX = 'clust_1/index.i8.npy'
const NEVER = new AbortController().signal

/** Registers the promises of the port Transport as tests, each on a subject of its own. */
export function describeTransport(name: string, makeSubject: () => Promise<TransportSubject>): void {
  const promise = (promised: string, check: (subject: TransportSubject) => Promise<void>) =>
    test(`${name} ${promised}`, async () => check(await makeSubject()))

  promise('delivers a generation whole to the one node it was asked for', async (subject) => {
    const { transport, nodes, source } = subject
    const arrived: number[] = []
    const sent = await deliver(subject, source, { onBytes: (bytes) => arrived.push(bytes) })
    const held = [{ name: 'dg_1', digest: source.manifest.digest }]
    assert.is(sent, countBytes(source.manifest))
    assert.is(
      arrived.reduce((sum, bytes) => sum + bytes, 0),
      sent,
    )
    assert.equal((await transport.inspect(nodes[0], NEVER)).generations, held)
    assert.equal((await transport.inspect(nodes[1], NEVER)).generations, [])
    await transport.verify(nodes[0], source.manifest, NEVER)
  })

  promise('sends nothing when the node holds the generation already', async (subject) => {
    await deliver(subject, subject.source)
    assert.is(await deliver(subject, subject.source), 0)
  })

  promise('sends again what a node holds damaged', async (subject) => {
    const { transport, nodes, source, damageHeld } = subject
    await deliver(subject, source)
    await damageHeld(nodes[0], 'dg_1', PATH)
    assert.ok((await deliver(subject, source)) > 0)
    await transport.verify(nodes[0], source.manifest, NEVER)
  })

  promise('replaces a generation of the same name with another digest', async (subject) => {
    const { transport, nodes, source, namesake } = subject
    await deliver(subject, namesake)
    await deliver(subject, source)
    await transport.verify(nodes[0], source.manifest, NEVER)
    await rejectsWith(transport.verify(nodes[0], namesake.manifest, NEVER), 'corrupt')
  })

  promise('shows nothing of an interrupted delivery, and continues it', async (subject) => {
    const { transport, nodes, source } = subject
    await interruptAfterFirstBytes(subject)
    const { generations, taken } = await transport.inspect(nodes[0], NEVER)
    assert.equal(generations, [])
    assert.ok((taken?.dg_1 ?? 0) > 0, 'it tells the room that it takes')
    const sent = await deliver(subject, source)
    assert.ok(sent > 0 && sent < countBytes(source.manifest), `${sent} bytes were sent`)
    await transport.verify(nodes[0], source.manifest, NEVER)
  })

  promise('does not mix in what an interrupted delivery of another digest left', async (subject) => {
    const { transport, nodes, namesake } = subject
    await interruptAfterFirstBytes(subject)
    await deliver(subject, namesake)
    await transport.verify(nodes[0], namesake.manifest, NEVER)
  })

  promise('refuses what differs from the manifest, names the file and publishes nothing', async (subject) => {
    const { transport, nodes, source, damageSource } = subject
    await damageSource(source, INDEX)
    await rejectsWith(deliver(subject, source), 'corrupt', new RegExp(INDEX))
    assert.equal((await transport.inspect(nodes[0], NEVER)).generations, [])
  })

  promise('names the node, what is needed and what is free when there is no room', async (subject) => {
    const { transport, nodes, source, fill, hasTraces } = subject
    await fill(nodes[0])
    const error = await rejectsWith(deliver(subject, source), 'remote', /\d+ bytes.*\d+/)
    assert.match(error.message, nodes[0])
    assert.match(error.message, String(countBytes(source.manifest)))
    assert.equal((await transport.inspect(nodes[0], NEVER)).generations, [])
    assert.not(await hasTraces(nodes[0], 'dg_1'))
  })

  promise('names the file that no longer is as the manifest says', async (subject) => {
    const { transport, nodes, source, damageHeld } = subject
    await deliver(subject, source)
    for (const path of [INDEX, PATH]) {
      await damageHeld(nodes[0], 'dg_1', path)
      await rejectsWith(transport.verify(nodes[0], source.manifest, NEVER), 'corrupt', new RegExp(path))
      await deliver(subject, source)
    }
  })

  promise('says so when it shall verify what a node does not hold', async ({ transport, nodes, source }) => {
    await rejectsWith(transport.verify(nodes[0], source.manifest, NEVER), 'not-found', /dg_1/)
  })

  promise('tells no digest of a generation whose manifest cannot be read', async (subject) => {
    const { transport, nodes, source, damageHeld } = subject
    await deliver(subject, source)
    await damageHeld(nodes[0], 'dg_1', 'manifest.json')
    const { generations } = await transport.inspect(nodes[0], NEVER)
    assert.equal(generations, [{ name: 'dg_1', digest: null }])
    await rejectsWith(transport.verify(nodes[0], source.manifest, NEVER), 'corrupt', /manifest/)
  })

  promise(
    'removes a generation and what is partial of it, and succeeds when there is none',
    async (subject) => {
      const { transport, nodes, namesake, hasTraces } = subject
      await transport.remove(nodes[0], 'dg_1', NEVER)
      await deliver(subject, namesake)
      await interruptAfterFirstBytes(subject)
      await transport.remove(nodes[0], 'dg_1', NEVER)
      assert.not(await hasTraces(nodes[0], 'dg_1'))
    },
  )

  promise(
    'brings the shards of some clusters, tells which are there, and sends only those that lack',
    async (subject) => {
      const { transport, nodes, source } = subject
      const { manifest } = source
      const held = { name: 'dg_1', digest: manifest.digest }
      await deliver(subject, source, { clusters: [] })
      assert.equal((await transport.inspect(nodes[0], NEVER)).generations, [{ ...held, clusters: [] }])
      await transport.verify(nodes[0], manifest, NEVER, [])
      await transport.remove(nodes[0], 'dg_1', NEVER)
      const sent = await deliver(subject, source, { clusters: [0] })
      assert.is(sent, countBytes({ files: selectFiles(manifest, [0]) }))
      assert.equal((await transport.inspect(nodes[0], NEVER)).generations, [{ ...held, clusters: [0] }])
      await transport.verify(nodes[0], manifest, NEVER, [0])
      await rejectsWith(transport.verify(nodes[0], manifest, NEVER), 'corrupt', /clust_1/)
      assert.is(await deliver(subject, source, { clusters: [0] }), 0)
      await deliver(subject, source, { clusters: [0, 1] })
      assert.equal((await transport.inspect(nodes[0], NEVER)).generations, [held])
      await transport.verify(nodes[0], manifest, NEVER)
    },
  )

  promise(
    'mends each file of a copy with the first sound one of another node, without this machine',
    async (subject) => {
      const { transport, nodes, source, damageHeld } = subject
      const { manifest } = source
      for (const node of nodes) {
        await transport.deliver(node, source.directory, manifest, { signal: NEVER })
      }
      await damageHeld(nodes[0], 'dg_1', PATH)
      await damageHeld(nodes[1], 'dg_1', INDEX)
      for (const [node, peer] of [nodes, nodes.toReversed() as [string, string]]) {
        await transport.mend(node, manifest, { peers: [peer], signal: NEVER })
        await transport.verify(node, manifest, NEVER)
      }
      assert.is((await transport.readManifest(nodes[1], 'dg_1', NEVER)).digest, manifest.digest)
    },
  )

  promise('takes this machine for the last source, and names what nobody has sound', async (subject) => {
    const { transport, nodes, source, damageHeld } = subject
    const { directory, manifest } = source
    for (const node of nodes) await transport.deliver(node, directory, manifest, { signal: NEVER })
    for (const node of nodes) await damageHeld(node, 'dg_1', PATH)
    const options = { peers: [nodes[1]], signal: NEVER }
    await rejectsWith(transport.mend(nodes[0], manifest, options), 'corrupt', new RegExp(PATH))
    await rejectsWith(transport.verify(nodes[0], manifest, NEVER), 'corrupt', new RegExp(PATH))
    await transport.mend(nodes[0], manifest, { ...options, directory })
    await transport.verify(nodes[0], manifest, NEVER)
  })

  promise('tells of a node that cannot be reached instead of failing', async (subject) => {
    const { transport, nodes, cut } = subject
    await cut(nodes[0])
    const facts = await transport.inspect(nodes[0], NEVER)
    assert.is(facts.reachable, false)
    assert.ok(facts.problem)
    await rejectsWith(deliver(subject, subject.source), 'remote', new RegExp(nodes[0]))
  })

  promise('tells the room that a node has', async ({ transport, nodes }) => {
    const { reachable, freeBytes, memoryBytes } = await transport.inspect(nodes[0], NEVER)
    assert.ok(reachable && freeBytes > 0 && memoryBytes > 0)
  })

  promise('does nothing once it was interrupted', async ({ transport, nodes, source }) => {
    const signal = AbortSignal.abort(interruption())
    await rejectsWith(transport.inspect(nodes[0], signal), 'interrupted')
    await rejectsWith(transport.verify(nodes[0], source.manifest, signal), 'interrupted')
    await rejectsWith(transport.remove(nodes[0], 'dg_1', signal), 'interrupted')
  })
}

function deliver(
  { transport, nodes }: TransportSubject,
  { directory, manifest }: Source,
  options: Partial<DeliverOptions> = {},
): Promise<number> {
  return transport.deliver(nodes[0], directory, manifest, { signal: NEVER, ...options })
}

/** Leaves at least one whole file of the source on the first node, and not all of them. */
async function interruptAfterFirstBytes(subject: TransportSubject): Promise<void> {
  const controller = new AbortController()
  const first = subject.source.manifest.files[0]!.bytes
  let arrived = 0
  const onBytes = (bytes: number) => {
    arrived += bytes
    if (arrived > first) controller.abort(interruption())
  }
  const { signal } = controller
  await rejectsWith(deliver(subject, subject.source, { signal, onBytes }), 'interrupted')
}

function interruption(): LongshoreError {
  return new LongshoreError('interrupted', 'interrupted')
}
