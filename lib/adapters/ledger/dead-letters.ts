import { open, readFile, rm } from 'node:fs/promises'
import { hasCode } from '../files/durable-files.ts'

/** Contents that a model cannot embed, by the hexadecimal form of their hash, with the reason: one JSON object a line. */
export class DeadLetters {
  readonly #path: string
  readonly #reasons: Map<string, string>

  private constructor(path: string, reasons: Map<string, string>) {
    this.#path = path
    this.#reasons = reasons
  }

  static async open(path: string): Promise<DeadLetters> {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return ''
      throw error
    })
    return new DeadLetters(path, new Map(text.split('\n').flatMap(parseLine)))
  }

  get size(): number {
    return this.#reasons.size
  }

  reasonOf(hash: Uint8Array): string | undefined {
    return this.#reasons.size === 0 ? undefined : this.#reasons.get(Buffer.from(hash).toString('hex'))
  }

  /** On disk when it resolves. */
  async add(hash: Uint8Array, reason: string): Promise<void> {
    const name = Buffer.from(hash).toString('hex')
    await using file = await open(this.#path, 'a', 0o600)
    // Begins a line of its own, whatever a killed process left of the last one.
    await file.appendFile(`\n${JSON.stringify({ hash: name, reason })}\n`)
    await file.datasync()
    this.#reasons.set(name, reason)
  }

  async clear(): Promise<void> {
    await rm(this.#path, { force: true })
    this.#reasons.clear()
  }
}

/** The entry of a line; none for a torn one, whose content will be tried again. */
function parseLine(line: string): [string, string][] {
  const match = /^\{"hash":"([0-9a-f]{64})","reason":("(?:[^"\\]|\\.)*")\}$/.exec(line)
  return match ? [[match[1]!, JSON.parse(match[2]!) as string]] : []
}
