import { execa } from 'execa'
import { type ErrorKind, EXIT_CODES, LongshoreError } from '../domain/errors.ts'
import type { Release } from '../domain/record.ts'

export type TourOptions = {
  readonly profileFile: string
  readonly signal: AbortSignal
  print(text: string): void
}

export type Hit = { readonly id: string; readonly score: number; readonly item: { readonly text?: string } }

/** A guided run: real commands, each shown as the operator would type it, above what it prints. */
export type Tour = {
  say(text: string): void
  /** Runs a command and prints its answer. Raises an error of the same exit code when it fails. */
  run(script: string, ...args: string[]): Promise<void>
  /** The `--json` document of a command, silently. */
  read(script: string, ...args: string[]): Promise<Record<string, unknown>>
  /** Asks the gateway at `url` and prints what it answers: the generation and the best hits. Raises `remote`. */
  ask(url: string, query: string): Promise<readonly Hit[]>
}

const HITS = 3
const PROJECT = new URL('../..', import.meta.url)

export function createTour({ profileFile, signal, print }: TourOptions): Tour {
  const profileFlag = profileFile === 'config/local.yml' ? [] : ['--profile', profileFile]
  // A process group of its own: Ctrl-C reaches the command once, through `signal`, and it ends in its own good order.
  const start = (args: string[], stderr: 'inherit' | 'pipe') =>
    execa('zx', args, {
      preferLocal: true,
      localDir: PROJECT,
      detached: true,
      cancelSignal: signal,
      forceKillAfterDelay: 30_000,
      stdin: 'ignore',
      stderr,
      stripFinalNewline: false,
      reject: false,
    })
  return {
    say: (text) => print(`\n${text}\n`),
    async run(script, ...args) {
      const parts = [`scripts/${script}.mjs`, ...args, ...profileFlag]
      print(`\n$ npx zx ${parts.join(' ')}\n`)
      const { stdout, exitCode } = await start(parts, 'inherit')
      print(stdout)
      refuseFailure(script, exitCode, signal)
    },
    async read(script, ...args) {
      const { stdout, exitCode } = await start(
        [`scripts/${script}.mjs`, ...args, '--json', ...profileFlag],
        'pipe',
      )
      refuseFailure(script, exitCode, signal)
      return JSON.parse(stdout) as Record<string, unknown>
    },
    async ask(url, query) {
      const body = JSON.stringify({ query, k: HITS })
      print(`\n$ curl ${url}/v1/search -H 'content-type: application/json' -d '${body}'\n`)
      const { generation, hits } = await search(`${url}/v1/search`, body, signal)
      const lines = hits.map(({ score, item, id }) => `  ${score.toFixed(3)}  ${item.text ?? id}\n`)
      print(`${generation} answers:\n${lines.join('')}`)
      return hits
    },
  }
}

/** Raises `usage` when generations other than the tour's own were put in service: it would take them out again. */
export function refuseForeignReleases(releases: readonly Release[], own: readonly string[]): void {
  const foreign = releases.findLast(({ generation }) => !own.includes(generation.name))
  if (!foreign) return
  throw new LongshoreError(
    'usage',
    `this profile has already served ${foreign.generation.name}, which is yours`,
    {
      hint: 'npx zx scripts/status.mjs shows what is in service; the guided run is for a fresh profile',
    },
  )
}

function refuseFailure(script: string, exitCode: number | undefined, signal: AbortSignal): void {
  signal.throwIfAborted()
  if (exitCode === 0) return
  const kinds = Object.keys(EXIT_CODES) as ErrorKind[]
  const kind = kinds.find((name) => EXIT_CODES[name] === exitCode) ?? 'bug'
  throw new LongshoreError(kind, `${script} ended with exit code ${exitCode}`, {
    hint: 'what it said stands above; npx zx scripts/doctor.mjs looks for what is in the way',
  })
}

type Found = { readonly generation: string; readonly hits: readonly Hit[] }

async function search(address: string, body: string, signal: AbortSignal): Promise<Found> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(address, { method: 'POST', headers, body, signal }).catch((cause: unknown) => {
    signal.throwIfAborted()
    throw new LongshoreError('remote', `the gateway at ${address} does not answer`, {
      hint: 'npx zx scripts/status.mjs shows what is running',
      cause,
    })
  })
  const text = await response.text()
  if (!response.ok) {
    throw new LongshoreError('remote', `the gateway answered ${response.status}: ${text.slice(0, 300)}`)
  }
  return JSON.parse(text) as Found
}
