import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { stringify } from 'yaml'
import { bringImage } from '../../test/swarm/lab/image.ts'
import { type Lab, startLab } from '../../test/swarm/lab/lab.ts'
import { DIMENSIONS } from './make-input.ts'
import { sumTimes } from './processor-times.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const HOLDING = '/var/lib/longshore'
const LOOK_EVERY_MS = 50
/** Lines are to be the limit, not what else this machine has to do. */
const WEIGHT = 8

/** How a command ended. */
export type Run = {
  readonly code: number | null
  readonly seconds: number
  /** Of this machine's processors, the share of the time in which they had nothing to do: what is 0 or near it is a limit. */
  readonly idle: number
  /** Bytes that left the control host meanwhile, and those that came to each node, as the kernel counts them. */
  readonly sent: number
  readonly received: Readonly<Record<string, number>>
  /** When the generation was under its final name on a node, in seconds from the start; looked at from outside. */
  readonly published: Readonly<Record<string, number>>
  readonly stderr: string
  /** What the command itself tells of each node, in milliseconds from its start. */
  readonly timeline: readonly object[]
}

export type RunOptions = {
  /** Names of the nodes in the profile. */
  readonly nodes: readonly string[]
  /** What happens to the command or to nodes while it runs. */
  readonly during?: (running: Running) => Promise<void>
}

export type Running = {
  readonly published: Readonly<Record<string, number>>
  kill(signal: NodeJS.Signals): void
  hasEnded(): boolean
}

/** A lab with the services' image on every node, and the real commands on this machine. */
export type LabFleet = {
  readonly lab: Lab
  readonly names: readonly string[]
  /** Splits an input into a generation; resolves to its bytes. */
  split(input: string, generation: string): Promise<number>
  /** Runs `deliver.mjs` from its start to its end. */
  deliver(generation: string, options: RunOptions): Promise<Run>
  /** Every line, or none, narrowed to so many megabits per second in both directions. */
  shape(mbit?: number): Promise<void>
  /** Deletes generations of nodes, whole and partial. */
  clear(generation?: string): Promise<void>
  /** Bytes that a node has on its disk of a generation, whole or not. */
  countHeld(node: string, generation: string): number
  stop(): Promise<void>
}

/** Brings up a lab of `nodes` nodes. What is made of inputs, and the profile, lie in `directory`. */
export async function startLabFleet(directory: string, nodes: number): Promise<LabFleet> {
  const state = `/var/lib/longshore-lab-delivery-${process.pid}`
  const lab = await startLab({ nodes, state, diskMegabytes: 0, weight: WEIGHT * (nodes + 1) })
  try {
    return createLabFleet(lab, directory, await bringImage(lab))
  } catch (error) {
    await lab.stop()
    throw error
  }
}

function createLabFleet(lab: Lab, directory: string, image: string): LabFleet {
  const names = lab.nodes.map(({ name }) => name)
  const generations = join(directory, 'dgs')
  mkdirSync(generations, { recursive: true })
  const eachNode = (work: (node: string) => Promise<unknown>) => Promise.all(names.map(work))
  return {
    lab,
    names,
    async split(input, generation) {
      const profile = writeProfile(lab, { directory, generations, image, nodes: names })
      const script = start(lab, [
        'split-index',
        input,
        '--generation',
        generation,
        '--profile',
        profile,
        '--quiet',
      ])
      const { code, stderr } = await script.ended
      if (code !== 0) throw new Error(`${generation} was not made: ${stderr}`)
      rmSync(input, { recursive: true })
      return countBytes(join(generations, generation))
    },
    deliver: (generation, options) =>
      deliver(lab, generation, {
        ...options,
        profile: writeProfile(lab, { directory, generations, image, nodes: options.nodes }),
      }),
    async shape(mbit) {
      const line = mbit === undefined ? {} : { mbit }
      await Promise.all(['host', ...names].map((machine) => lab.fault.shape(machine, line)))
    },
    async clear(generation = 'dg_*') {
      const line = `rm -rf ${HOLDING}/${generation} ${HOLDING}/.${generation}.*`
      await eachNode((node) => lab.exec(node, ['sh', '-c', line]))
    },
    countHeld: (node, generation) => countHeld(lab, node, generation),
    stop: () => lab.stop(),
  }
}

type ProfileParts = {
  readonly directory: string
  readonly generations: string
  readonly image: string
  readonly nodes: readonly string[]
}

function writeProfile(lab: Lab, { directory, generations, image, nodes }: ProfileParts): string {
  const profile = join(directory, `profile-${nodes.length}.yml`)
  const [{ key, knownHosts }] = lab.nodes as [Lab['nodes'][number]]
  const members = {
    name: 'bench',
    engine: 'swarm',
    generations,
    nodes: lab.nodes.filter(({ name }) => nodes.includes(name)).map(({ name, host }) => ({ name, host })),
    ssh: { identityFile: key, knownHostsFile: knownHosts },
    swarm: { managers: ['n1'], publish: 'host', image },
    model: { name: 'use', version: '4', dimensions: DIMENSIONS, metric: 'cosine', normalized: true },
    extraction: { url: 'http://127.0.0.1:9' },
    split: { search: 'exact' },
    gates: { model: 0, sizeChange: 1000 },
  }
  writeFileSync(profile, stringify(members))
  return profile
}

async function deliver(
  lab: Lab,
  generation: string,
  { nodes, profile, during }: RunOptions & { readonly profile: string },
): Promise<Run> {
  const before = readTraffic(lab, nodes)
  const times = sumTimes()
  const begun = performance.now()
  const script = start(lab, ['deliver', generation, '--profile', profile, '--yes', '--json'])
  const watched = watch(lab, generation, nodes, begun)
  let hasEnded = false
  const running = { published: watched.published, kill: script.kill, hasEnded: () => hasEnded }
  const disturbed = during?.(running)
  const { code, stderr, json } = await script.ended
  const seconds = (performance.now() - begun) / 1000
  hasEnded = true
  watched.stop()
  await disturbed
  const { idle, all } = sumTimes()
  const after = readTraffic(lab, nodes)
  const received = Object.fromEntries(
    nodes.map((node) => [node, (after.received[node] ?? 0) - (before.received[node] ?? 0)]),
  )
  const { published } = watched
  return {
    code,
    seconds,
    idle: (idle - times.idle) / (all - times.all),
    sent: after.sent - before.sent,
    received,
    published,
    stderr,
    timeline: json.timeline ?? [],
  }
}

/** Looks which nodes show the generation, and since when, in seconds since `begun`. */
function watch(lab: Lab, generation: string, nodes: readonly string[], begun: number) {
  const published: Record<string, number> = {}
  const look = () => {
    for (const node of nodes) {
      const isThere = existsSync(`${lab.locateRoot(node)}${HOLDING}/${generation}`)
      if (isThere) published[node] ??= (performance.now() - begun) / 1000
    }
  }
  const timer = setInterval(look, LOOK_EVERY_MS)
  return {
    published,
    stop() {
      clearInterval(timer)
      look()
    },
  }
}

function readTraffic(lab: Lab, nodes: readonly string[]) {
  const running = nodes.filter((node) => lab.locateRoot(node) !== undefined)
  return {
    sent: lab.readTraffic('host').sent,
    received: Object.fromEntries(running.map((node) => [node, lab.readTraffic(node).received])),
  }
}

/** One of the scripts, as an operator runs it. */
function start(lab: Lab, [script, ...args]: readonly string[]) {
  const [program, ...rest] = lab.asMachine(['zx', join(ROOT, 'scripts', `${script}.mjs`), ...args])
  const child = spawn(program!, rest, {
    env: { ...process.env, PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that a kill leaves nothing of it.
    detached: true,
  })
  const ended = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]).then(
    ([[code], stdout, stderr]) => ({
      code: code as number | null,
      stderr: `${stderr}${stdout}`,
      json: parse(stdout),
    }),
  )
  return { ended, kill: (signal: NodeJS.Signals) => void process.kill(-child.pid!, signal) }
}

function countBytes(directory: string): number {
  const files = globSync('**/*', { cwd: directory, withFileTypes: true }).filter((file) => file.isFile())
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}

/** Blocks, not sizes: what is put together of pieces has holes. */
function countHeld(lab: Lab, node: string, generation: string): number {
  const home = `${lab.locateRoot(node)}${HOLDING}`
  const pattern = `{${generation},.${generation}.partial}/**/*`
  return globSync(pattern, { cwd: home }).reduce(
    (sum, name) => sum + 512 * statSync(join(home, name)).blocks,
    0,
  )
}

/** The document of a command; an empty one where it was killed. */
function parse(text: string): { readonly timeline?: readonly object[] } {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}
