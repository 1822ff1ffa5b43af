import type { MoveOrder } from '../config/move-schema.ts'
import { LongshoreError } from '../domain/errors.ts'
import { type MoveDefinition, routeBetween, withRoute } from '../domain/service-move.ts'
import type { Answer, Context } from './context.ts'
import { defineMove } from './move-context.ts'
import { moveService } from './move-service.ts'

export type MoveFlags = {
  readonly undo: boolean
  readonly finish: boolean
  readonly 'start-router': boolean
  readonly 'stop-router': boolean
}

/** What `move-service` is asked for: a move, its end or its return, or the router of this machine. Raises `usage`. */
export async function runMoveCommand(
  context: Context,
  [name]: readonly string[],
  flags: MoveFlags,
): Promise<Answer> {
  const given = Object.entries(flags).filter(([, isGiven]) => isGiven)
  if (given.length > 1) {
    const names = given.map(([flag]) => `--${flag}`).join(' and ')
    throw new LongshoreError('usage', `${names}: expected one of them`)
  }
  if (flags['start-router']) return await startRouter(context)
  if (flags['stop-router']) return await stopRouter(context)
  const order = chooseMove(context.profile.moves, name)
  return await moveService(context, order, { isUndo: flags.undo, finishes: flags.finish })
}

async function startRouter(context: Context): Promise<Answer> {
  const { routerProcess, signal, dryRun, profile } = context
  if (dryRun && !(await routerProcess.isRunning())) {
    const { host, port } = profile.router
    return { outcome: 'done', text: `would start the router at http://${host}:${port}`, json: {} }
  }
  const { url, isNew } = await routerProcess.start(signal)
  const services = dryRun ? [] : await addRoutes(context)
  const lines = [
    `the router answers at ${url}${isNew ? '' : ' already'}`,
    ...services.map(({ service, source }) => `${service} is answered by ${source.service} at ${source.url}`),
  ]
  return {
    outcome: isNew || services.length > 0 ? 'done' : 'nothing-to-do',
    text: lines.join('\n'),
    json: { url, routes: services },
  }
}

/** Clients may come before anything is moved: what is declared and not moved yet is answered by its source. */
async function addRoutes({ router, state, profile, signal }: Context): Promise<MoveDefinition[]> {
  const [table, { moves = {} }] = await Promise.all([router.readRoutes(signal), state.read()])
  const isMoved = (name: string) => ['moved', 'finished'].includes(moves[name]?.phase ?? '')
  const added = profile.moves
    .map(defineMove)
    .filter(({ name, service }) => !table.services[service] && !isMoved(name))
  const next = added.reduce((routes, move) => withRoute(routes, move.service, routeBetween(move, 0)), table)
  if (added.length > 0) await router.writeRoutes(next, signal)
  return added
}

async function stopRouter({ routerProcess, signal, dryRun, confirm }: Context): Promise<Answer> {
  if (!(await routerProcess.isRunning())) {
    return { outcome: 'nothing-to-do', text: 'no router of this profile runs here', json: {} }
  }
  if (dryRun) return { outcome: 'done', text: 'would stop the router', json: {} }
  await confirm({
    steps: [{ batch: 1, action: 'stop', target: 'router', cause: 'clients get no answer there any more' }],
  })
  await routerProcess.stop(signal)
  return { outcome: 'done', text: 'the router has ended; its routes are kept', json: {} }
}

function chooseMove(moves: readonly MoveOrder[], name: string | undefined): MoveOrder {
  const found = name === undefined && moves.length === 1 ? moves[0] : moves.find((one) => one.name === name)
  if (found) return found
  const names = moves.map((move) => move.name).join(', ')
  if (moves.length === 0) {
    throw new LongshoreError('usage', 'moves: the profile declares none', {
      hint: 'see `moves` in config/reference.yml and docs/move-service.md',
    })
  }
  throw new LongshoreError(
    'usage',
    name === undefined
      ? `NAME is missing: expected one of ${names}`
      : `moves: there is no ${name}: expected one of ${names}`,
  )
}
