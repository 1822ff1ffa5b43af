export type Log = (event: string, facts?: Readonly<Record<string, unknown>>) => void

/** Writes one line of JSON to stderr for each event. */
export function createLog(about: Readonly<Record<string, unknown>>): Log {
  return (event, facts = {}) => {
    process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), ...about, event, ...facts })}\n`)
  }
}
