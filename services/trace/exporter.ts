import { createHttpClient } from '../../lib/adapters/http/client.ts'
import { messageOf } from '../../lib/domain/errors.ts'
import type { Log } from '../http/log.ts'

/** A span as OTLP has it in JSON. */
export type FinishedSpan = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: unknown }[]
  readonly status: { readonly code?: number }
}

export type Exporter = { add(span: FinishedSpan): void }

export type ExporterOptions = {
  /** Of an OpenTelemetry collector, without `/v1/traces`. */
  readonly url: string
  /** Who sends: `service.name` and what else is known. */
  readonly resource: Readonly<Record<string, string>>
  readonly log: Log
}

const FLUSH_MS = 1_000
const TIMEOUT_MS = 5_000
/** Spans that wait to be sent; others are dropped, for queries come first. */
const MOST_WAITING = 2_048
const TELL_EVERY_MS = 60_000

/** Sends spans to a collector by OTLP over HTTP, as JSON, every second. Those that it does not take are lost, and that is told. */
export function createExporter({ url, resource, log }: ExporterOptions): Exporter {
  const client = createHttpClient({ connectMs: TIMEOUT_MS })
  const attributes = Object.entries(resource).map(([key, value]) => ({ key, value: { stringValue: value } }))
  let waiting: FinishedSpan[] = []
  let lost = 0
  let toldAt = Number.NEGATIVE_INFINITY
  const tell = (spans: number, why: string) => {
    lost += spans
    if (performance.now() - toldAt < TELL_EVERY_MS) return
    toldAt = performance.now()
    log('spans_lost', { spans: lost, why })
    lost = 0
  }
  const flush = async () => {
    const spans = waiting
    if (spans.length === 0) return
    waiting = []
    const body = {
      resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: { name: 'longshore' }, spans }] }],
    }
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      const asked = { body: JSON.stringify(body), contentType: 'application/json', signal }
      const { status } = await client.post(`${url.replace(/\/$/, '')}/v1/traces`, asked)
      if (status >= 300) tell(spans.length, `the collector answered ${status}`)
    } catch (error) {
      tell(spans.length, messageOf(error))
    }
  }
  setInterval(() => void flush(), FLUSH_MS).unref()
  return {
    add(span) {
      if (waiting.length < MOST_WAITING) waiting.push(span)
      else tell(1, 'too many wait to be sent')
    },
  }
}
