import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { request } from 'undici'
import * as assert from 'uvu/assert'
import { type Fleet, makeFleet } from './fleet.ts'
import { findFreePort } from './free-port.ts'
import { renderCreation, startModelServer } from './model-servers.ts'
import { type PredictLoad, startPredictLoad } from './predict-load.ts'
import type { ServiceProcess } from './services.ts'
import { makeTempDir } from './temp.ts'

export type MoveWorld = {
  readonly fleet: Fleet
  readonly source: ServiceProcess
  readonly target: ServiceProcess
  readonly routerUrl: string
  /** Directories of the source's and the target's repository. */
  readonly from: string
  readonly to: string
  /** Clients ask the router from now until the world is stopped. */
  load(): PredictLoad
  /** Lines of the journal so far. */
  journal(): string[]
  stop(): Promise<void>
}

export type MoveWorldOptions = {
  /** Members of the move in the profile. */
  readonly move?: Record<string, unknown>
  readonly targetMembers?: Record<string, unknown>
  /** Files of the repository, by their names. */
  readonly files?: Readonly<Record<string, Uint8Array>>
  readonly startsRouter?: boolean
}

/** Two of our own servers, `one` on the first, a router, and the profile that moves it to the second. */
export async function makeMoveWorld(options: MoveWorldOptions = {}): Promise<MoveWorld> {
  const { move = {}, targetMembers = {}, startsRouter = true } = options
  const { files = { 'net.pt': Buffer.alloc(100_000, 7), 'a/b/labels.txt': Buffer.from('cat\n') } } = options
  const root = makeTempDir()
  const [from, to] = [join(root, 'dev/one'), join(root, 'prod/two')]
  for (const directory of [from, join(root, 'prod')]) mkdirSync(directory, { recursive: true })
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(join(from, path, '..'), { recursive: true })
    writeFileSync(join(from, path), bytes)
  }
  const [source, target, port] = await Promise.all([
    startModelServer(join(root, 'dev')),
    startModelServer(join(root, 'prod')),
    findFreePort(),
  ])
  await create(source.url, 'one', from)
  const fleet = await makeFleet({
    router: { port, timeoutSeconds: 60 },
    moves: [
      {
        name: 'texts',
        source: { url: source.url, service: 'one' },
        target: { url: target.url, service: 'two', repository: to, ...targetMembers },
        compare: { waitSeconds: 60, count: 5, latencyRatio: 1000 },
        redirect: { holdSeconds: 0.3 },
        ...move,
      },
    ],
  })
  if (startsRouter) assert.is((await fleet.run('move-service', '--start-router')).code, 0)
  const routerUrl = `http://127.0.0.1:${port}`
  const loads: PredictLoad[] = []
  return {
    ...{ fleet, source, target, routerUrl, from, to },
    load() {
      const load = startPredictLoad(routerUrl, 'one')
      loads.push(load)
      return load
    },
    journal: () => readJournal(fleet.path('state', 'journal.jsonl')),
    async stop() {
      for (const load of loads) await load.stop()
      await fleet.run('move-service', '--stop-router')
      // One that a test has killed has no exit code to wait for.
      for (const server of [source, target]) if (server.process.signalCode === null) await server.stop()
      await fleet.stop()
    },
  }
}

export async function create(url: string, name: string, repository: string): Promise<void> {
  const reply = await request(`${url}/services/${name}`, {
    method: 'PUT',
    body: JSON.stringify(renderCreation(repository)),
  })
  assert.is(reply.statusCode, 201, await reply.body.text())
}

function readJournal(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n')
  } catch {
    return []
  }
}
