import { digestOf } from '../domain/canonical-json.ts'
import { LongshoreError } from '../domain/errors.ts'
import type { FileEntry } from '../domain/manifest.ts'
import type { ModelService } from '../domain/model-service.ts'
import type { MoveFacts } from '../domain/plan-move.ts'
import type { MoveRecord } from '../domain/service-move.ts'
import { planOrder } from '../domain/service-order.ts'
import type { ModelServer } from '../ports/model-server.ts'
import type { Moving } from './move-context.ts'

/** Looks at both servers, the files and the router. Raises `not-found` for a service or a repository that is not there, `remote`. */
export async function observeMove(moving: Moving, record: MoveRecord | undefined): Promise<MoveFacts> {
  const { context, order, move, signal } = moving
  const [found, target, table] = await Promise.all([
    moving.source.find(move.source.service, signal),
    moving.target.find(move.target.service, signal),
    context.router.readRoutes(signal),
  ])
  const source = found ?? refuseMissing(moving)
  const { from, here } = locateSource(moving, source)
  const to = order.target.repository ?? from
  const place = { directory: order.target.directory ?? to, node: order.target.node }
  const isHere = place.node === undefined && place.directory === here
  const files = await context.repositories.list(here, signal)
  return {
    ...{ record, source, target, route: table.services[move.service], clear: order.source.clear },
    repository: {
      ...{ ...place, files, digest: digestOf(files) },
      state: isHere ? 'here' : await inspect(moving, place, { files, record }),
    },
    order: planOrder({
      ...{ source, from, to, given: readGiven(moving), files: files.map(({ path }) => path) },
    }),
    sharers: await findSharers(moving.source, source, { moving, to }),
  }
}

/** As observeMove, for a move that has come to its end: files and parameters do not matter any more. */
export async function observeEnd(moving: Moving, record: MoveRecord): Promise<MoveFacts> {
  const { context, order, move, signal } = moving
  const [source, target, table] = await Promise.all([
    moving.source.find(move.source.service, signal),
    moving.target.find(move.target.service, signal),
    context.router.readRoutes(signal),
  ])
  const to = order.target.repository ?? source?.repository ?? ''
  const parameters = { input: {}, mllib: {}, output: {} }
  const { mllib, description, type } = { mllib: '', description: '', type: '', ...source }
  return {
    ...{ record, source, target, route: table.services[move.service], clear: order.source.clear },
    repository: { state: 'here', digest: '', directory: to, node: undefined, files: [] },
    order: { order: { mllib, description, type, parameters, model: { repository: to } }, notes: [] },
    sharers: source ? await findSharers(moving.source, source, { moving, to }) : [],
  }
}

function refuseMissing({ move }: Moving): never {
  throw new LongshoreError('not-found', `there is no service ${move.source.service} at ${move.source.url}`, {
    hint: 'source.service of the move in the profile names it',
  })
}

/** Where the files lie as the source sees them, and as this machine does. */
function locateSource({ order }: Moving, { repository }: ModelService): { from: string; here: string } {
  const from = (repository ?? order.source.directory)?.replace(/\/+$/, '')
  if (from !== undefined) return { from, here: order.source.directory ?? from }
  throw new LongshoreError(
    'usage',
    `${order.source.url} does not tell the repository of ${order.source.service}: source.directory is missing`,
    { hint: 'name it in source.directory of the move in the profile' },
  )
}

async function inspect(
  { context, signal }: Moving,
  { directory, node }: { readonly directory: string; readonly node: string | undefined },
  { files, record }: { readonly files: readonly FileEntry[]; readonly record: MoveRecord | undefined },
): Promise<MoveFacts['repository']['state']> {
  // A server writes to its repository; once the service is made, the copy is its own.
  if (record?.passed.includes('copy')) return 'whole'
  const place = node === undefined ? { directory } : { directory, node }
  return await context.repositories.inspect(place, files, signal)
}

function readGiven({ order }: Moving): Parameters<typeof planOrder>[0]['given'] {
  const { input, mllib, output } = order.target.parameters ?? {}
  return { ...(input && { input }), ...(mllib && { mllib }), ...(output && { output }) }
}

/** Other services whose files are those of the source: at its server, or the target itself. */
async function findSharers(
  server: ModelServer,
  source: ModelService,
  { moving, to }: { readonly moving: Moving; readonly to: string },
): Promise<string[]> {
  const { move, signal } = moving
  const { services } = await server.describe(signal)
  const others = services.map((name) => name.toLowerCase()).filter((name) => name !== source.name)
  const found = await Promise.all(others.map((name) => server.find(name, signal)))
  const isSame = (repository: string | undefined) =>
    repository !== undefined && repository.replace(/\/+$/, '') === source.repository?.replace(/\/+$/, '')
  const sharers = found.filter((one) => isSame(one?.repository)).map((one) => one!.name)
  return isSame(to) && !sharers.includes(move.target.service) ? [...sharers, move.target.service] : sharers
}
