import { rename, writeFile } from 'node:fs/promises'
import { LongshoreError, messageOf } from '../domain/errors.ts'
import type { Answer } from '../flows/context.ts'

/** Runs a command and writes what it tells of gates to `file` as JSON, also when they refuse. Raises `usage`. */
export async function withReport(file: string | undefined, run: () => Promise<Answer>): Promise<Answer> {
  try {
    const answer = await run()
    if (file !== undefined) await writeReport(file, answer.json)
    return answer
  } catch (error) {
    const isRefusal = error instanceof LongshoreError && error.kind === 'gate'
    if (file !== undefined && isRefusal) await writeReport(file, error.answer)
    throw error
  }
}

async function writeReport(file: string, content: Readonly<Record<string, unknown>>): Promise<void> {
  const beside = `${file}.partial-${process.pid}`
  try {
    await writeFile(beside, `${JSON.stringify(content, null, 2)}\n`)
    await rename(beside, file)
  } catch (error) {
    throw new LongshoreError('usage', `cannot write the report: ${messageOf(error)}`, {
      hint: 'name another file with --report',
      cause: error,
    })
  }
}
