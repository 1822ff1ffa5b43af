import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { stringify } from 'yaml'
import { fingerprintOf } from '../../lib/domain/model.ts'
import { extractionServiceName } from '../../lib/domain/service.ts'
import { findFreePort } from './free-port.ts'
import { ROOT } from './shared.ts'
import { makeTempDir } from './temp.ts'

/** How a script ended, with its one JSON document where it was asked for one. */
export type Run = {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers member by member
  readonly json: any
}

/** A fleet of the local engine in a directory of its own, driven by the real scripts as a user would. */
export type Fleet = {
  readonly directory: string
  readonly profile: string
  readonly url: string
  /** Runs `scripts/<script>.mjs` with `--profile`, `--yes` and `--json`; resolves however it ends. */
  run(script: string, ...args: string[]): Promise<Run>
  /** As `run`, but hands out the command while it runs. */
  start(script: string, ...args: string[]): RunningScript
  path(...names: string[]): string
  stop(): Promise<void>
}

export type RunningScript = {
  readonly pid: number | undefined
  readonly ended: Promise<Run>
  hasEnded(): boolean
  kill(signal: NodeJS.Signals): void
}

export const TEST_MODEL = {
  name: 'lexical-hash',
  version: '1',
  dimensions: 64,
  metric: 'cosine',
  normalized: true,
} as const

/** The service that embeds under it. */
export const TEST_EXTRACTION = extractionServiceName({ fingerprint: fingerprintOf(TEST_MODEL) })

/** Makes a fleet whose profile is small and fast; `overrides` are merged into its top-level members. */
export async function makeFleet(overrides: Record<string, unknown> = {}): Promise<Fleet> {
  const directory = makeTempDir()
  const port = await findFreePort()
  const profile = join(directory, 'profile.yml')
  const settings = {
    name: 'test',
    state: join(directory, 'state'),
    generations: join(directory, 'dgs'),
    nodes: [{ name: 'node-1' }, { name: 'node-2' }],
    model: TEST_MODEL,
    // Whatever else runs on this machine may keep the processors for seconds: late is not failed.
    gateway: { port, timeoutSeconds: 20 },
    split: { clusters: 3, goldenQueries: 40 },
    gates: { selfRouting: 0.8, recall: 0.8 },
    update: { deadlineSeconds: 20, soakSeconds: 0.3, leaseSeconds: 5 },
    ...overrides,
  }
  await mkdir(settings.generations, { recursive: true })
  await writeFile(profile, stringify(settings))
  const start = (script: string, ...args: string[]) =>
    startScript(script, [...args, '--profile', profile, '--yes', '--json'], { cwd: directory })
  const run = (script: string, ...args: string[]) => start(script, ...args).ended
  return {
    directory,
    profile,
    url: `http://127.0.0.1:${port}`,
    run,
    start,
    path: (...names) => join(directory, ...names),
    stop: async () => {
      await run('down')
    },
  }
}

export type ScriptOptions = {
  readonly cwd: string
  /** Variables besides, or in place of, those of this process. */
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  /** A program and its first arguments that run the script, where it shall not run right here. */
  readonly through?: readonly string[]
}

/** A script as `npx zx scripts/<name>.mjs` runs it. */
export function startScript(
  script: string,
  args: readonly string[],
  { cwd, env, timeoutMs = 120_000, through = [] }: ScriptOptions,
): RunningScript {
  const [program, ...first] = [...through, 'zx']
  const child = execa(program!, [...first, `${ROOT}scripts/${script}.mjs`, ...args], {
    cwd,
    preferLocal: true,
    localDir: ROOT,
    reject: false,
    stdin: 'ignore',
    timeout: timeoutMs,
    env: { NO_COLOR: '1', ...env },
  })
  let hasEnded = false
  const ended = child.then(({ exitCode, stdout, stderr }) => {
    hasEnded = true
    return { code: exitCode, stdout, stderr, json: parseJson(stdout) }
  })
  return {
    pid: child.pid,
    ended,
    hasEnded: () => hasEnded,
    kill: (signal) => {
      child.kill(signal)
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
