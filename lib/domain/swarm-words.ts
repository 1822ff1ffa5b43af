/**
 * The line of a log that says best why its process ended: the error, not the stack below it; undefined for an empty log.
 */
export function findLastWords(log: string): string | undefined {
  const lines = log.split('\n').map(readMessage).filter(Boolean)
  return lines.findLast((line) => /^(Uncaught )?\w*(Error|Exception)\b.*: /.test(line)) ?? lines.at(-1)
}

/** The words of one line of a log: its message where it is JSON, nothing where it is part of a stack. */
function readMessage(line: string): string {
  const text = line.trim()
  if (/^(at |Node\.js v\d|\^+$|[{}\]]+$)/.test(text)) return ''
  if (!text.startsWith('{')) return text
  try {
    const { msg, message } = JSON.parse(text) as { msg?: unknown; message?: unknown }
    return String(message ?? msg ?? text)
  } catch {
    return text
  }
}

/** What services/ask.ts printed, where the answer was not 200. */
export type Refusal = { readonly status: number | null; readonly code: string; readonly message: string }

/** Reads what services/ask.ts prints when it ends with 1: `{"status","body"}`, or why nobody answered. */
export function parseRefusal(output: string): Refusal {
  const text = output.trim()
  try {
    const { status, body } = JSON.parse(text) as { status: number; body: string }
    return { status, ...parseErrorBody(body) }
  } catch {
    return { status: null, code: 'unreachable', message: text }
  }
}

function parseErrorBody(body: string): { code: string; message: string } {
  try {
    const { error } = JSON.parse(body) as { error?: { code?: string; message?: string } }
    return { code: error?.code ?? 'unknown', message: error?.message ?? body }
  } catch {
    return { code: 'unknown', message: body }
  }
}
