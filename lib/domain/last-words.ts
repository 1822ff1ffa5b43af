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
