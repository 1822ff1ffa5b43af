import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { parseRefusal } from '../../domain/swarm-words.ts'
import type { RemoteShell } from '../../ports/remote-shell.ts'
import { askInside } from './docker-argv.ts'

export type Place = {
  readonly shell: RemoteShell
  /** How the task is called in messages. */
  readonly where: string
  readonly node: string
  readonly container: string
}

export type AskOptions = { readonly signal: AbortSignal; readonly timeoutMs: number }

/**
 * The JSON that a task answers to GET `path` on its own socket, asked from inside its container: no port of it needs to
 * be reachable, and nothing but docker is needed on its node. Raises `remote` for any status but 200.
 */
export async function askContainer(
  { shell, where, node, container }: Place,
  path: string,
  options: AskOptions,
): Promise<unknown> {
  const result = await shell.run(node, ['docker', ...askInside(container, path)], options)
  if (result.code === 0) return parseAnswer(result.stdout, `${where}, GET ${path}`)
  if (result.stdout === '') {
    throw new LongshoreError('remote', `${where} does not answer: ${result.stderr.trim()}`)
  }
  const { status, message } = parseRefusal(result.stdout)
  throw new LongshoreError(
    'remote',
    status === null ? `${where} does not answer: ${message}` : `${where}: ${message} (${status} to ${path})`,
  )
}

function parseAnswer(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new LongshoreError('remote', `${what}: no JSON (${messageOf(error)})`, { cause: error })
  }
}
