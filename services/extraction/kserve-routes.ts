import type { FastifyInstance } from 'fastify'
import { HttpError } from '../http/http-error.ts'
import type { Readiness } from '../http/service.ts'
import { OUTPUT, parseInferRequest } from './infer-request.ts'
import { assertLoaded, BODY_LIMITS, isServed, type Named, type Served } from './model-routes.ts'

type Path = { Params: { name: string; version?: string } }

/** KServe's protocol v2 with JSON. Source: kserve/open-inference-protocol. */
export function addInferRoutes(app: FastifyInstance, served: Served, readiness: () => Readiness): void {
  const { model, embedding } = served
  const bodyLimit = BODY_LIMITS[embedding.takes]
  app.get('/v2', async () => ({ name: 'longshore', version: model.version, extensions: [] }))
  app.get('/v2/health/live', async () => ({ live: true }))
  app.get('/v2/health/ready', async (_request, reply) => {
    const { isReady } = readiness()
    return reply.status(isReady ? 200 : 503).send({ ready: isReady })
  })
  for (const path of ['/v2/models/:name', '/v2/models/:name/versions/:version']) {
    app.get<Path>(path, async ({ params }) => {
      assertServed(served, params)
      return describeModel(served)
    })
    app.get<Path>(`${path}/ready`, async ({ params }, reply) => {
      assertServed(served, params)
      const ready = embedding.problem() === undefined
      return reply.status(ready ? 200 : 503).send({ name: model.name, ready })
    })
    app.post<Path>(`${path}/infer`, { bodyLimit }, async ({ params, body }) => {
      assertServed(served, params)
      assertLoaded(served)
      const { id, values, mayCut } = parseInferRequest(body, embedding.takes)
      const rows = await embedding.embed(values, mayCut)
      return {
        ...{ model_name: model.name, model_version: model.version, id },
        outputs: [
          {
            ...{ name: OUTPUT, shape: [rows.length, model.dimensions], datatype: 'FP32' },
            data: rows.flatMap((row) => [...row]),
          },
        ],
      }
    })
  }
}

function describeModel({ model, embedding }: Served): object {
  return {
    name: model.name,
    versions: [model.version],
    platform: 'longshore',
    inputs: [{ name: embedding.takes, datatype: 'BYTES', shape: [-1] }],
    outputs: [{ name: OUTPUT, datatype: 'FP32', shape: [-1, model.dimensions] }],
  }
}

function assertServed(served: Served, { name, version }: Path['Params']): void {
  const named: Named = { name, version }
  if (isServed(served, named)) return
  const label = version === undefined ? name : `${name}, version ${version}`
  throw new HttpError(404, 'not_found', `unknown model ${label}`)
}
