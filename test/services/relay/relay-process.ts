import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { encodeFrame, readFrames } from '../../../lib/adapters/relay/frames.ts'
import type { Order, Peer, Report } from '../../../lib/adapters/relay/protocol.ts'
import { eventually } from '../../support/eventually.ts'
import { ROOT } from '../../support/shared.ts'
import { type Bundle, SECRET } from './bundle.ts'

export type ReportOf<Told extends Report['told']> = Extract<Report, { told: Told }>

/** A relay as its own process, and what it has told so far. */
export type RelayProcess = {
  readonly child: ChildProcess
  readonly reports: readonly Report[]
  order(order: Order, body?: Uint8Array): void
  /** Begins to bring a bundle; resolves to what the relay says it has. */
  begin(bundle: Bundle, change?: Partial<Extract<Order, { do: 'begin' }>>): Promise<ReportOf<'ready'>>
  /** Sends a piece of the bundle. */
  put(bundle: Bundle, piece: number): void
  /** Has a piece of the bundle got from elsewhere. */
  fetch(bundle: Bundle, piece: number, from: Peer): void
  /** All reports of a kind, once there are so many. */
  hear<Told extends Report['told']>(told: Told, count?: number): Promise<ReportOf<Told>[]>
  /** Resolves once it has ended, to its exit code and what it wrote to stderr. */
  ended(): Promise<{ readonly code: number | null; readonly stderr: string }>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a relay over a directory of generations. */
export function startRelay(dataDirectory: string): RelayProcess {
  const child = spawn(process.execPath, [join(ROOT, 'services/relay/main.ts')], {
    env: { DATA_DIR: dataDirectory, NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/longshore') },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  running.add(child)
  const closed = once(child, 'close').finally(() => running.delete(child))
  const stderr = text(child.stderr)
  // A relay that has ended takes no more orders; tests see it by its exit code.
  child.stdin.on('error', () => undefined)
  const reports: Report[] = []
  const heard = (async () => {
    for await (const { header } of readFrames<Report>(child.stdout)) reports.push(header)
  })()
  const order = (told: Order, body?: Uint8Array) => {
    for (const part of encodeFrame(told, body)) child.stdin.write(part)
  }
  const hear = <Told extends Report['told']>(told: Told, count = 1) =>
    eventually(() => {
      const found = reports.filter((report): report is ReportOf<Told> => report.told === told)
      if (found.length >= count) return found
      throw new Error(
        `heard ${found.length} of ${count} "${told}"; the last of all: ${JSON.stringify(reports.at(-1))}`,
      )
    }, 20_000)
  return {
    child,
    reports,
    order,
    hear,
    async begin({ files, pieceBytes, generation }, change) {
      const before = reports.filter(({ told }) => told === 'ready').length
      const secret = SECRET.toString('base64')
      order({ do: 'begin', generation, files, pieceBytes, secret, port: 0, uploadRate: null, ...change })
      return (await hear('ready', before + 1)).at(-1)!
    },
    put: (bundle, piece) =>
      order({ do: 'put', piece, sha256: bundle.sums[piece]!, offset: 0 }, bundle.bytesOf(piece)),
    fetch: (bundle, piece, from) => order({ do: 'fetch', piece, sha256: bundle.sums[piece]!, from }),
    async ended() {
      const [code] = await closed
      await heard
      return { code, stderr: await stderr }
    },
  }
}

/** Where other relays reach one that is ready. */
export function peerOf({ port }: { readonly port: number }): Peer {
  return { host: '127.0.0.1', port }
}
