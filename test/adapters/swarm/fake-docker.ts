import type { RemoteShell, RunResult } from '../../../lib/ports/remote-shell.ts'

const MISSING = 'Error response from daemon: config not found'

/** A Swarm in memory that knows configs alone; shells of several operators may share it. */
export class FakeDocker {
  readonly configs = new Map<string, { readonly text: string; readonly createdAt: number }>()
  now: () => number = Date.now

  /** The shell of one operator. `before` may fail a command; `after` may lose its answer. */
  shell({
    before,
    after,
  }: {
    before?: (argv: readonly string[]) => void
    after?: typeof before
  } = {}): RemoteShell {
    return {
      run: async (_node, argv, { stdin, signal }) => {
        await new Promise((resolve) => setImmediate(resolve))
        signal.throwIfAborted()
        before?.(argv)
        const [args, isListing] = [argv.slice(argv.indexOf('docker') + 1), argv[0] === 'sh']
        const result = this.answer(args, String(stdin ?? ''))
        after?.(argv)
        // What is created is followed by a list of all.
        return isListing && result.code === 0 ? done(`${result.stdout}\n${this.list()}`) : result
      },
      close: async () => undefined,
    }
  }

  private answer(args: readonly string[], stdin: string): RunResult {
    const [noun, verb] = args
    if (noun === 'info') return done(JSON.stringify(new Date(this.now()).toISOString()))
    if (verb === 'ls') return done(this.list())
    if (verb === 'create') return this.create(args.at(-2)!, stdin)
    if (verb === 'rm') return this.remove(args.slice(2))
    const found = this.configs.get(args[2]!)
    if (!found) return { code: 1, stdout: '[]', stderr: MISSING }
    const Data = Buffer.from(found.text).toString('base64')
    const CreatedAt = new Date(found.createdAt).toISOString()
    return done(JSON.stringify([{ CreatedAt, Spec: { Name: args[2], Data } }]))
  }

  private list(): string {
    return [...this.configs.keys()].map((name) => JSON.stringify(name)).join('\n')
  }

  private create(name: string, text: string): RunResult {
    if (this.configs.has(name)) {
      return {
        code: 1,
        stdout: '',
        stderr: `rpc error: code = AlreadyExists desc = config ${name} already exists`,
      }
    }
    this.configs.set(name, { text, createdAt: this.now() })
    return done('id')
  }

  private remove(names: readonly string[]): RunResult {
    const isAll = names.map((name) => this.configs.delete(name)).every(Boolean)
    return isAll ? done('') : { code: 1, stdout: '', stderr: MISSING }
  }
}

function done(stdout: string): RunResult {
  return { code: 0, stdout, stderr: '' }
}
