/** What services/ask.mjs printed, where the answer was not 200. */
export type Refusal = { readonly status: number | null; readonly code: string; readonly message: string }

/** Reads what services/ask.mjs prints when it ends with 1: `{"status","body"}`, or why nobody answered. */
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
