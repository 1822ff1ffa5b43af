import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { eventually } from './eventually.ts'
import { ROOT } from './shared.ts'

/** What the server answers in place of embeddings. */
export type Fault = {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

type Message = { port?: number; told?: true; asked?: string[]; failed?: boolean }

/** An embedding server in a process of its own, which may be killed and started again. */
export class EmbeddingProcess {
  /** Every text that it was asked for and did not refuse, in order. */
  readonly asked: string[] = []
  /** How many of them had been asked for when the last new one was. */
  askedAtLastNew = 0
  failures = 0
  port = 0
  private readonly settings: { readonly dimensions: number; readonly delayMs: number }
  private readonly known = new Set<string>()
  private child: ChildProcess | undefined
  private told = 0

  constructor(settings: { readonly dimensions: number; readonly delayMs: number }) {
    this.settings = settings
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Listens where it did before, if it did. */
  async start(): Promise<void> {
    const { dimensions, delayMs } = this.settings
    const args = [this.port, dimensions, delayMs].map(String)
    this.child = fork(`${ROOT}test/support/embedding-main.ts`, args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const listening = Promise.withResolvers<void>()
    this.child.on('message', (message: Message) => {
      this.hear(message)
      if (message.port !== undefined) listening.resolve()
    })
    await listening.promise
  }

  /** Answers the next requests with these, one each. */
  async fail(faults: readonly Fault[]): Promise<void> {
    const before = this.told
    this.child!.send([...faults])
    await eventually(() => {
      if (this.told === before) throw new Error('the server does not hear')
    }, 30_000)
  }

  async kill(): Promise<void> {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill('SIGKILL')
    await once(this.child, 'exit')
  }

  private hear({ port, told, asked = [], failed }: Message): void {
    if (port !== undefined) this.port = port
    if (told) this.told++
    if (failed) this.failures++
    else this.asked.push(...asked)
    const hasNew = !failed && asked.some((text) => !this.known.has(text))
    if (!hasNew) return
    for (const text of asked) this.known.add(text)
    this.askedAtLastNew = this.asked.length
  }
}
