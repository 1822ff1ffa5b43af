import type { GetOptions, HttpAnswer, HttpConnections } from '../../lib/adapters/http/client.ts'
import { renderTraceParent } from './traceparent.ts'
import { beginSpan, findSpan } from './tracer.ts'

/** A client whose requests are spans of the work that they belong to, and tell servers so. */
export function traceRequests(client: HttpConnections): HttpConnections {
  const trace = async <O extends GetOptions>(
    name: string,
    options: O,
    send: (options: O) => Promise<HttpAnswer>,
  ): Promise<HttpAnswer> => {
    const parent = findSpan()
    if (!parent) return await send(options)
    const span = beginSpan({ name, kind: 'client', parent: parent.context }, parent.exporter)
    try {
      const headers = { ...options.headers, traceparent: renderTraceParent(span.context) }
      const answer = await send({ ...options, headers })
      span.end({ 'http.response.status_code': answer.status }, answer.status >= 500)
      return answer
    } catch (error) {
      span.end({ 'error.type': (error as Error).name }, true)
      throw error
    }
  }
  return {
    get: (url, options) => trace(`GET ${placeOf(url)}`, options, (traced) => client.get(url, traced)),
    post: (url, options) => trace(`POST ${placeOf(url)}`, options, (traced) => client.post(url, traced)),
    close: () => client.close(),
  }
}

/** Without what differs from request to request. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}
