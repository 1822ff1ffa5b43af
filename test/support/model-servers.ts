import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ServiceProcess, startService } from './services.ts'

export const LEXICAL = {
  ...{ name: 'own', version: '1', dimensions: 32, metric: 'cosine', normalized: true },
  fingerprint: 'lexical-32',
}

/** Our own extraction service, in which services may be created below a directory. */
export async function startModelServer(
  root: string,
  env: Record<string, string> = {},
): Promise<ServiceProcess> {
  return await startService('extraction', { MODEL: JSON.stringify(LEXICAL), REPOSITORIES: root, ...env })
}

/** The body that creates a service of the built-in model. */
export function renderCreation(
  repository: string,
  mllib: Record<string, unknown> = { dimensions: 32 },
): object {
  return {
    ...{ mllib: 'lexical', description: 'texts', type: 'supervised' },
    ...{ parameters: { input: { connector: 'txt' }, mllib, output: {} }, model: { repository } },
  }
}

export function renderPrediction(service: string, ...data: readonly string[]): object {
  return { service, data, parameters: { input: {}, mllib: { extract_layer: 'last' }, output: {} } }
}

/** The versions of DeepDetect whose answers differ. */
export const VERSIONS = ['v0.9.7', 'v0.12.0', 'HEAD'] as const
export type Version = (typeof VERSIONS)[number]

export type StandIn = { readonly url: string; stop(): void }

type Made = { readonly body: Record<string, unknown>; successes: number; failures: number }

/** What DeepDetect of a version answers, over services that classify everything alike. Source: the facts of its API. */
export async function startStandIn(version: Version): Promise<StandIn> {
  const isOld = version === 'v0.9.7'
  const services = new Map<string, Made>()
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (part: Buffer) => chunks.push(part))
    request.on('end', () => {
      const [status, body] = answer(request.method ?? '', request.url ?? '', Buffer.concat(chunks).toString())
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  const answer = (method: string, url: string, text: string): [number, object] => {
    const [, name] = /^\/services\/([^/?]+)/.exec(url) ?? []
    if (url.startsWith('/info')) return info()
    if (name === undefined) return predict(JSON.parse(text) as Record<string, unknown>)
    if (method === 'PUT') return create(name, text)
    const made = services.get(name)
    if (method === 'DELETE') {
      if (!services.delete(name)) return fail(404, 'NotFound')
      return [200, { status: { code: 200, msg: 'OK' } }]
    }
    if (!made) return isOld ? fail(404, 'NotFound') : fail(404, 'NotFound', 1002, 'Service Not Found')
    return [200, { status: { code: 200, msg: 'OK' }, body: describe(name, made) }]
  }
  const info = (): [number, object] => {
    const list = [...services.keys()].map((name) => ({ name, mllib: 'torch', description: '' }))
    const head = { method: '/info', version, branch: 'master', commit: 'c0ffee', services: list }
    return [200, version === 'HEAD' ? { head } : { status: { code: 200, msg: 'OK' }, head }]
  }
  const create = (name: string, text: string): [number, object] => {
    if (services.has(name)) {
      return isOld ? fail(403, 'Forbidden') : fail(409, 'Conflict', 1014, 'Service already exists')
    }
    const body = JSON.parse(text) as Record<string, unknown>
    const { repository } = body.model as { repository: string }
    if (repository.startsWith('/nowhere')) {
      const words = `Service Bad Request Error: destination model directory ${repository} is not writable or does not exist.`
      return fail(400, 'BadRequest', 1006, words)
    }
    services.set(name, { body, successes: 0, failures: 0 })
    return [201, { status: { code: 201, msg: 'Created' } }]
  }
  const predict = ({ service, data }: Record<string, unknown>): [number, object] => {
    const made = services.get(String(service))
    if (!made) return fail(404, 'NotFound', 1002, 'Service Not Found')
    const uris = data as string[]
    if (uris.length === 0) {
      made.failures++
      return fail(400, 'BadRequest', 1005, 'Service Input Error: no image could be found')
    }
    made.successes++
    const classes = [{ cat: 'n02123045 tabby, tabby cat', prob: 0.75, last: true }]
    const predictions = uris.map((uri, at) => ({
      uri,
      classes,
      ...(at === uris.length - 1 && { last: true }),
    }))
    const isAlone = isOld && predictions.length === 1
    const body = { predictions: isAlone ? predictions[0] : predictions }
    return [200, { status: { code: 200, msg: 'OK' }, head: { method: '/predict', service, time: 1 }, body }]
  }
  const describe = (name: string, { body, successes, failures }: Made): object => {
    const common = { name, description: body.description, mllib: body.mllib }
    if (isOld) return { ...common, jobs: [] }
    const { repository } = body.model as { repository: string }
    return {
      ...{ ...common, type: body.type, mltype: 'classification', predict: true, training: false },
      ...{ parameters: body.parameters, repository, jobs: [], labels: [] },
      service_stats: {
        predict_count: successes + failures,
        predict_success: successes,
        predict_failure: failures,
      },
    }
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function fail(code: number, msg: string, ddCode?: number, words?: string): [number, object] {
  return [code, { status: { code, msg, ...(ddCode !== undefined && { dd_code: ddCode, dd_msg: words }) } }]
}
