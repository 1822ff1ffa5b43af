import { LongshoreError, messageOf } from '../../domain/errors.ts'

type Expected = { readonly count: number; readonly dimensions: number; readonly where: string }

/**
 * The embeddings [count, dimensions] in TensorFlow Serving's answer `{"outputs": [[..]]}`. Raises `remote` naming
 * `where` for another count, other dimensions, or values that are not finite (which the server writes as bare NaN).
 */
export function parsePredictions(answer: string, { count, dimensions, where }: Expected): Float32Array {
  const fail = (what: string): never => {
    throw new LongshoreError('remote', `${where}: ${what}`, {
      hint: 'compare the model section of the profile with the server',
    })
  }
  const rows = readOutputs(answer, fail)
  if (rows.length !== count) fail(`answered ${rows.length} embeddings, expected ${count}`)
  const values = new Float32Array(count * dimensions)
  for (const [index, row] of rows.entries()) {
    if (!Array.isArray(row)) return fail(`embedding ${index} is no list of numbers`)
    if (row.length !== dimensions) {
      fail(`embedding ${index} has ${row.length} dimensions, expected ${dimensions}`)
    }
    values.set(row, index * dimensions)
    const wrong = row.findIndex((value) => typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
    if (wrong >= 0) fail(`embedding ${index}, dimension ${wrong}: expected a finite number`)
  }
  return values
}

function readOutputs(answer: string, fail: (what: string) => never): readonly unknown[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(answer)
  } catch (error) {
    if (/[[,]\s*-?(NaN|Infinity)\b/.test(answer)) fail('answered values that are not finite')
    return fail(`answered no JSON (${messageOf(error)})`)
  }
  const outputs = (parsed as { outputs?: unknown } | null)?.outputs
  return Array.isArray(outputs) ? outputs : fail('answered no list of "outputs"')
}
