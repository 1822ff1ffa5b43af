import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Counter, Gauge } from 'prom-client'
import type { Admission } from './admission.ts'
import type { Metrics } from './metrics.ts'

/** Those who watch a service have to reach it most when it has much to do. */
const ALWAYS_ANSWERED: readonly string[] = ['/healthz', '/readyz', '/metrics', '/v1/status']
const BODY = Buffer.from(
  JSON.stringify({ error: { code: 'overloaded', message: 'more requests than can be answered in time' } }),
)
const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'content-length': BODY.length,
  'retry-after': '1',
}
/** A larger body is not even taken off the connection. */
const MOST_BYTES_SKIPPED = 1 << 18
/** Of the bodies of all requests under way. */
const MOST_BYTES = 256 << 20
/** What a body counts that does not tell its length. */
const UNKNOWN_BYTES = 1 << 20

/**
 * Answers requests that are not admitted with 503 at once, before anything of their bodies was read or parsed, and tells
 * how many on /metrics.
 */
export function addShedding(
  handle: RequestListener,
  admission: Admission,
  register: Metrics['register'],
): RequestListener {
  const shed = addMeasures(admission, register)
  let bytesUnderWay = 0
  return (request, response) => {
    if (ALWAYS_ANSWERED.includes(request.url!)) return handle(request, response)
    const size = sizeOf(request)
    // What could never have room is refused by its route, unread.
    const bytes = size > MOST_BYTES ? 0 : size
    if (bytesUnderWay + bytes > MOST_BYTES || !admission.begin()) {
      shed.inc()
      return refuse(request, response)
    }
    const begun = performance.now()
    bytesUnderWay += bytes
    response.once('close', () => {
      bytesUnderWay -= bytes
      const isAnswered = response.writableFinished && response.statusCode < 500
      admission.end({ tookMs: performance.now() - begun, isAnswered })
    })
    return handle(request, response)
  }
}

function addMeasures(admission: Admission, register: Metrics['register']): Counter {
  const registers = [register]
  new Gauge({
    name: 'longshore_requests_limit',
    help: 'Requests that may be under way',
    registers,
    collect() {
      this.set(admission.limit())
    },
  })
  return new Counter({
    name: 'longshore_requests_shed_total',
    help: 'Requests refused at once with 503, for there were too many',
    registers,
  })
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  const isLarge = sizeOf(request) > MOST_BYTES_SKIPPED
  response.writeHead(503, isLarge ? { ...HEADERS, connection: 'close' } : HEADERS)
  response.end(BODY)
}

function sizeOf({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? (headers['transfer-encoding'] ? UNKNOWN_BYTES : 0))
}
