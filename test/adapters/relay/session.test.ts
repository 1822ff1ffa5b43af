import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PieceSource } from '../../../lib/adapters/relay/piece-source.ts'
import type { Order, Report } from '../../../lib/adapters/relay/protocol.ts'
import { RelaySession } from '../../../lib/adapters/relay/session.ts'
import type { RelayLink } from '../../../lib/adapters/relay/start-relay.ts'
import { UNLIMITED } from '../../../lib/domain/delivery-rates.ts'
import { eventually } from '../../support/eventually.ts'
import { writeGenerationFiles } from '../../support/fakes/generation-files.ts'
import { makeTempDir } from '../../support/temp.ts'

const PIECE_BYTES = 256 * 1024
const LEAST_BYTES = 2 * (32 * 1024 - 256)

type OrderOf<Do extends Order['do']> = Extract<Order, { do: Do }>

/** A relay that is played: what it was told, and what it says. */
function playRelay() {
  const orders: Order[] = []
  let bodyBytes = 0
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
  ended.catch(() => undefined)
  let hear: (report: Report) => void = () => undefined
  const link: RelayLink = {
    async give(order, body) {
      orders.push(order)
      if (order.do === 'put') bodyBytes += body!.length
      return true
    },
    hear(onReport) {
      hear = onReport
    },
    end: resolve,
    stop: reject,
    ended,
  }
  return {
    link,
    say: (report: Report) => hear(report),
    putBytes: () => bodyBytes,
    told: <Do extends Order['do']>(what: Do) =>
      orders.filter((order): order is OrderOf<Do> => order.do === what),
  }
}

test('gives orders to a node at once while pieces for it wait to be acknowledged', async () => {
  const { directory, manifest } = await writeGenerationFiles(makeTempDir(), 'dg_1', (path) =>
    path.endsWith('.npy') ? 8 * PIECE_BYTES : 1000,
  )
  const source = new PieceSource(directory, manifest.files, PIECE_BYTES)
  const relays = { n1: playRelay(), n2: playRelay() }
  const session = new RelaySession(
    {
      relays: { take: ({ node }) => relays[node as keyof typeof relays].link },
      port: 0,
      hostOf: (node) => node,
      stallMs: 60_000,
      pace: async () => undefined,
      readRates: () => UNLIMITED,
    },
    'dg_1',
    source,
  )
  const stop = new AbortController()
  const joined = Object.keys(relays).map((node) =>
    session.join({ node, directory: '/none', signal: stop.signal }),
  )
  relays.n1.say({ told: 'ready', port: 1, pieces: [], whole: [] })
  relays.n2.say({ told: 'ready', port: 2, pieces: [], whole: [] })
  for (const { putBytes } of Object.values(relays)) {
    await eventually(() => assert.is(putBytes(), LEAST_BYTES))
  }
  const [first] = relays.n1.told('put')
  relays.n1.say({ told: 'have', piece: first!.piece })
  await eventually(() => assert.equal(relays.n2.told('fetch')[0]?.piece, first!.piece))
  assert.is(relays.n2.putBytes(), LEAST_BYTES)
  relays.n2.say({ told: 'got', bytes: LEAST_BYTES })
  await eventually(() => assert.ok(relays.n2.putBytes() > LEAST_BYTES))
  stop.abort(new Error('enough'))
  for (const { status } of await Promise.allSettled(joined)) assert.is(status, 'rejected')
})

test.run()
