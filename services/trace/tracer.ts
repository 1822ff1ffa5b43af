import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import type { Exporter, FinishedSpan } from './exporter.ts'
import type { TraceParent } from './traceparent.ts'

/** Numbers as OTLP has them. */
const KINDS = { server: 2, client: 3 } as const

export type Attributes = Readonly<Record<string, string | number | boolean>>

/** One piece of work of a trace that is recorded, under way. */
export type Span = {
  /** What spans that it brings about are told. */
  readonly context: TraceParent
  readonly exporter: Exporter
  end(attributes: Attributes, isFailure: boolean): void
}

export type SpanStart = {
  readonly name: string
  readonly kind: keyof typeof KINDS
  readonly parent?: TraceParent | undefined
}

const current = new AsyncLocalStorage<Span>()

/** The span that the work of which this call is a part belongs to. */
export function findSpan(): Span | undefined {
  return current.getStore()
}

/** Runs work as a part of a span. */
export function withinSpan<T>(span: Span, work: () => T): T {
  return current.run(span, work)
}

/** Begins a span, of a trace of its own where it has no parent. It is exported when it ends. */
export function beginSpan({ name, kind, parent }: SpanStart, exporter: Exporter): Span {
  const begun = performance.timeOrigin + performance.now()
  const context: TraceParent = {
    traceId: parent?.traceId ?? randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    isSampled: true,
  }
  const end = (attributes: Attributes, isFailure: boolean) => {
    const ended = performance.timeOrigin + performance.now()
    const { traceId, spanId } = context
    const span: FinishedSpan = {
      ...{ traceId, spanId, name, kind: KINDS[kind] },
      ...(parent && { parentSpanId: parent.spanId }),
      startTimeUnixNano: inNanoseconds(begun),
      endTimeUnixNano: inNanoseconds(ended),
      attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: renderValue(value) })),
      status: isFailure ? { code: 2 } : {},
    }
    exporter.add(span)
  }
  return { context, exporter, end }
}

function inNanoseconds(ms: number): string {
  return `${BigInt(Math.round(ms * 1000)) * 1000n}`
}

function renderValue(value: string | number | boolean): Readonly<Record<string, unknown>> {
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'string') return { stringValue: value }
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}
