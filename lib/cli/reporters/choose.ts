import type { Reporter } from '../../ports/reporter.ts'
import { createJsonLinesReporter } from './json-lines.ts'
import { createPlainReporter } from './plain.ts'
import { createTerminalReporter } from './terminal.ts'

/** Where a story goes. */
export type Sink = { write(text: string): unknown }

/** A reporter that may hold the terminal until it is closed. */
export type ClosableReporter = Reporter & { close(): void }

export type ReporterOptions = {
  readonly json: boolean
  readonly quiet: boolean
  readonly stream: NodeJS.WriteStream
}

/** The reader of the story that fits: silent, JSON lines, bars and colours on a terminal, plain lines elsewhere. */
export function createReporter({ json, quiet, stream }: ReporterOptions): ClosableReporter {
  if (quiet) return SILENT
  if (json) return createJsonLinesReporter(stream)
  return stream.isTTY && process.env.TERM !== 'dumb'
    ? createTerminalReporter(stream)
    : createPlainReporter(stream)
}

const ignore = (): void => undefined
const SILENT: ClosableReporter = {
  plan: ignore,
  step: ignore,
  progress: ignore,
  gates: ignore,
  note: ignore,
  close: ignore,
}
