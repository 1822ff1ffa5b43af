import { LongshoreError } from '../../domain/errors.ts'
import type { ModelService, ServiceParameters } from '../../domain/model-service.ts'
import type { ModelServer, PredictAnswer } from '../../ports/model-server.ts'
import { hideUser } from '../http/client.ts'
import { createExchange, type Exchanged, isObject } from './exchange.ts'

const SERVICE_EXISTS = 1014

/**
 * A server that speaks DeepDetect's API, v0.9 to HEAD, or our own extraction service. What differs between versions is taken in every
 * form: an existing service is 403 or 409, an unknown one 404 with or without a code, /info with or without a status. Source:
 * jolibrain/deepdetect, docs/api.md, src/httpjsonapi.cc (v0.9) and src/http (v0.12 and later).
 */
export function createModelServer(url: string): ModelServer {
  const exchange = createExchange(url)
  const refuse = (doing: string, { words }: Exchanged) =>
    new LongshoreError('remote', `${hideUser(url)}: ${doing}: ${words}`, {
      hint: 'the log of the server tells more',
    })
  return {
    async describe(signal) {
      const answer = await exchange('GET', '/info', { signal })
      const head = isObject(answer.json.head) ? answer.json.head : undefined
      if (answer.status !== 200 || !head) throw refuse('/info', answer)
      const services = Array.isArray(head.services) ? head.services.filter(isObject) : []
      return { version: String(head.version ?? ''), services: services.map(({ name }) => String(name)) }
    },
    async find(name, signal) {
      const answer = await exchange('GET', pathOf(name), { signal })
      if (answer.status === 404) return undefined
      if (answer.status !== 200 || !isObject(answer.json.body)) throw refuse(`service ${name}`, answer)
      return readService(name, answer.json.body)
    },
    async create(name, order, signal) {
      const answer = await exchange('PUT', pathOf(name), { body: order, signal })
      if (answer.status === 201 || answer.status === 200) return true
      // Before v0.12 the only thing that is forbidden is a name that is taken.
      if (answer.status === 409 || answer.status === 403 || answer.ddCode === SERVICE_EXISTS) {
        if (answer.status !== 403 || (await this.find(name, signal)) !== undefined) return false
      }
      throw refuse(`creating ${name}`, answer)
    },
    async remove(name, clear, signal) {
      const query = clear === 'mem' ? '' : `?clear=${clear}`
      const answer = await exchange('DELETE', `${pathOf(name)}${query}`, { signal })
      if (answer.status === 404) return false
      if (answer.status === 200) return true
      throw refuse(`deleting ${name}`, answer)
    },
    async predict(service, body, signal) {
      const start = performance.now()
      const answer = await exchange('POST', '/predict', { body: { ...body, service }, signal })
      return { tookMs: performance.now() - start, ...readPredictions(answer) }
    },
  }
}

function pathOf(name: string): string {
  return `/services/${encodeURIComponent(name.toLowerCase())}`
}

function readService(name: string, body: Record<string, unknown>): ModelService {
  const { description = '', mllib = '', type = 'supervised', repository, parameters } = body
  const stats = readStats(body.service_stats)
  return {
    name: String(body.name ?? name).toLowerCase(),
    ...{ description: String(description), mllib: String(mllib), type: String(type) },
    ...(typeof repository === 'string' && repository !== '' && { repository }),
    ...(isObject(parameters) && { parameters: readParameters(parameters) }),
    ...(stats && { stats }),
  }
}

function readParameters(parameters: Record<string, unknown>): ServiceParameters {
  const part = (name: string) => (isObject(parameters[name]) ? parameters[name] : {})
  return { input: part('input'), mllib: part('mllib'), output: part('output') }
}

function readStats(value: unknown): ModelService['stats'] {
  if (!isObject(value) || typeof value.predict_success !== 'number') return undefined
  return { successes: value.predict_success, failures: Number(value.predict_failure ?? 0) }
}

/** Some versions answer a single prediction as an object of its own. */
function readPredictions({ status, json, words }: Exchanged): Omit<PredictAnswer, 'tookMs'> {
  const inner = isObject(json.body) ? json.body.predictions : undefined
  if (status !== 200) return { predictions: [], problem: words }
  if (Array.isArray(inner)) return { predictions: inner.filter(isObject) }
  if (isObject(inner)) return { predictions: [inner] }
  return { predictions: [], problem: 'the answer has no predictions' }
}
