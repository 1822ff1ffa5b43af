import { readFileSync } from 'node:fs'
import type { RemoteShell, RunResult } from '../../../lib/ports/remote-shell.ts'
import { ROOT } from '../../support/shared.ts'

const STATUS = JSON.stringify({ generations: [{ name: 'dg_1', digest: 'sha256:1' }] })

export type RecordedOptions = {
  /** What `docker stack deploy` answers, one after the other; it succeeds once there is no more. */
  readonly deploys?: RunResult[]
  /** What somebody did by hand since: the text of the recording, changed. */
  readonly edit?: (recording: string) => string
}

/** A manager whose Swarm stands still at a recorded moment, and that notes every command that would change it. */
export function createRecordedShell(
  moment: string,
  { deploys = [], edit = (recording) => recording }: RecordedOptions = {},
) {
  const text = edit(readFileSync(`${ROOT}test/adapters/swarm/recorded/${moment}.json`, 'utf8'))
  const { service, tasks, nodes } = JSON.parse(text) as Record<
    'service' | 'tasks' | 'nodes',
    { ID: string }[]
  >
  const changes: { readonly command: string; readonly stdin: string }[] = []
  const answers: Readonly<Record<string, () => string>> = {
    'service ls': () => idsOf(service),
    'service inspect': () => JSON.stringify(service),
    'service ps': () => idsOf(tasks),
    'inspect --type': () => JSON.stringify(tasks),
    'node ls': () => idsOf(nodes),
    'node inspect': () => JSON.stringify(nodes),
    'network ls': () => 'id',
  }
  const shell: RemoteShell = {
    async run(_node, fenced, { stdin, signal }) {
      signal.throwIfAborted()
      const argv = fenced.slice(fenced.indexOf('docker'))
      const [, noun, verb] = argv
      if (noun === 'exec') return { code: 0, stdout: STATUS, stderr: '' }
      const answer = answers[`${noun} ${verb}`]
      if (answer) return { code: 0, stdout: answer(), stderr: '' }
      changes.push({ command: argv.slice(1).join(' '), stdin: String(stdin ?? '') })
      return (verb === 'deploy' ? deploys.shift() : undefined) ?? { code: 0, stdout: '', stderr: '' }
    },
    close: async () => undefined,
  }
  return { shell, changes }
}

function idsOf(list: readonly { readonly ID: string }[]): string {
  return list.map(({ ID }) => `${ID}\n`).join('')
}
