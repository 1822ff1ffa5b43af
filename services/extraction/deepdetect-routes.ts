import type { FastifyInstance } from 'fastify'
import type { Log } from '../http/log.ts'
import type { Environment } from '../settings.ts'
import { DeepdetectError, renderFailure, renderStatus } from './deepdetect-answers.ts'
import { checkRepository, clearRepository, writeConfig } from './deepdetect-repository.ts'
import { parseContents, parsePrediction, parseServiceRequest } from './deepdetect-request.ts'
import { createOwnService, type DeepdetectService, loadService } from './deepdetect-services.ts'
import { assertLoaded, BODY_LIMITS, type Served } from './model-routes.ts'

type Named = { Params: { name: string }; Querystring: { clear?: string; status?: string } }
type Parts = { readonly env: Environment; readonly log: Log }

const BOOLEANS: readonly unknown[] = [undefined, 'true', 'false', '1', '0']

/**
 * The subset of DeepDetect's API that a move of a service needs. Services are created and deleted only where REPOSITORIES names the
 * directory that their files may lie in. Source: jolibrain/deepdetect, docs/api.md and src/http.
 */
export function addDeepdetectRoutes(app: FastifyInstance, served: Served, { env, log }: Parts): void {
  const own = createOwnService(served, env)
  const root = env.REPOSITORIES || undefined
  const services = new Map<string, DeepdetectService>([[own.name, own]])
  const creating = new Set<string>()
  app.removeAllContentTypeParsers()
  // Names that are taken are refused before anything of a body is looked at.
  app.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body)
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = renderFailure(error)
    if (status === 500) log('request_failed', { url: request.url, stack: (error as Error).stack })
    return reply.status(status).send(body)
  })
  app.get<Named>('/info', async ({ query }) => {
    if (!BOOLEANS.includes(query.status)) throw new DeepdetectError(400)
    const list = [...services.values()].map(describeBriefly)
    return { head: { method: '/info', version: 'longshore', services: list } }
  })
  app.get<Named>('/services/:name', async ({ params, query }) => {
    if (!BOOLEANS.includes(query.status)) throw new DeepdetectError(400)
    const service = services.get(params.name.toLowerCase())
    if (!service) throw new DeepdetectError(1002)
    return { status: renderStatus(200), body: describe(service) }
  })
  app.route<Named>({
    method: ['PUT', 'POST'],
    url: '/services/:name',
    async handler({ params, body }, reply) {
      const name = params.name.toLowerCase()
      if (services.has(name) || creating.has(name)) throw new DeepdetectError(1014)
      if (root === undefined) throw new DeepdetectError(403)
      const request = parseServiceRequest(body)
      creating.add(name)
      try {
        await checkRepository(request.repository, { root, creates: request.createsRepository })
        const service = await loadService(name, request, { model: served.model, env, log })
        await writeConfig(request.repository, String(body))
        services.set(name, service)
      } finally {
        creating.delete(name)
      }
      return reply.status(201).send({ status: renderStatus(201) })
    },
  })
  app.delete<Named>('/services/:name', async ({ params, query }) => {
    const name = params.name.toLowerCase()
    const service = services.get(name)
    if (!service) throw new DeepdetectError(404)
    if (root === undefined) throw new DeepdetectError(403)
    // A clear that fails leaves the service. The files that the process was started with are not its own.
    if (service !== own) await clearRepository(service.request.repository, query.clear ?? 'mem')
    services.delete(name)
    await service.close()
    return { status: renderStatus(200) }
  })
  app.post('/predict', { bodyLimit: BODY_LIMITS[served.embedding.takes] }, async ({ body }) => {
    const { service: name, body: asked } = parsePrediction(body)
    const service = services.get(name)
    if (!service) throw new DeepdetectError(1002)
    return await predict(service, asked)
  })
}

async function predict(service: DeepdetectService, body: Record<string, unknown>): Promise<object> {
  const { name, embedding, stats } = service
  const start = performance.now()
  try {
    assertLoaded(service)
    const rows = await embedding.embed(parseContents(body, embedding.takes), true)
    const tookMs = performance.now() - start
    stats.succeed({ items: rows.length, tookMs })
    const predictions = rows.map((row, at) => ({
      ...{ uri: String(at), vals: [...row] },
      ...(at === rows.length - 1 && { last: true }),
    }))
    const head = { method: '/predict', service: name, time: Math.round(tookMs) }
    return { status: renderStatus(200), head, body: { predictions } }
  } catch (error) {
    stats.fail()
    throw error
  }
}

function describeBriefly({ name, request }: DeepdetectService): object {
  const { description, mllib, type } = request
  return { name, description, mllib, mltype: 'embedding', type, predict: true, training: false }
}

function describe(service: DeepdetectService): object {
  const { request, stats } = service
  return {
    ...describeBriefly(service),
    ...{ parameters: request.parameters, repository: request.repository },
    ...{ jobs: [], labels: [], service_stats: stats.render() },
  }
}
