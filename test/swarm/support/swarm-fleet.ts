import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { idOf } from '../../../lib/domain/text-hash.ts'
import { type Run, type RunningScript, startScript, TEST_MODEL } from '../../support/fleet.ts'
import { makeGeneration } from '../../support/generation.ts'
import { type Load, startLoad } from '../../support/load.ts'
import { makeQuestions, type Question } from '../../support/questions.ts'
import { makeTempDir } from '../../support/temp.ts'
import { bringImage } from '../lab/image.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { makeState } from '../lab/state.ts'
import { renderVectorSearch, startBalancer } from './balancer.ts'
import { readServed } from './served.ts'

export const FLEET = 'lab'
const PORT = 14005

export type SwarmFleetOptions = {
  readonly nodes?: number
  readonly managers?: number
  /** Clusters of every generation; each is a service. */
  readonly clusters?: number
  /** Members of the profile, merged into those that every scenario has. */
  readonly profile?: ProfileMembers
  /** Makes, and puts on every node, the image to run in place of the services' own; resolves to its name. */
  readonly prepareImage?: (lab: Lab, image: string) => Promise<string>
}

type ProfileMembers = Readonly<Record<string, unknown>>

/** A fleet on a real Swarm, driven by the real scripts as an operator would. */
export type SwarmFleet = {
  readonly lab: Lab
  /** The operator's directory, with `profile.yml` and `dgs`. */
  readonly directory: string
  readonly profile: string
  /** Ids of the clusters of every generation. */
  readonly clusters: readonly number[]
  /** What each generation holds that was made here. */
  readonly galleries: ReadonlyMap<string, readonly Question[]>
  path(...names: string[]): string
  /** Writes the profile anew with these members merged in, until the next time. */
  configure(members?: ProfileMembers): Promise<void>
  /** Makes a sound generation whose items no other one has; resolves to its directory. */
  makeGeneration(name: string, items?: number): Promise<string>
  /** Runs `scripts/<script>.mjs` with `--profile`, `--yes` and `--json`; resolves however it ends. */
  run(script: string, ...args: string[]): Promise<Run>
  /** As `run`, but hands out the command while it runs. */
  start(script: string, ...args: string[]): RunningScript
  /** Clients that ask all generations' vectors through a balancer in front of all nodes. Make the generations before. */
  load(options?: { readonly clients?: number; readonly perSecond?: number }): Load
  /** Generations that tasks of a service serve, by `node task`, each asked in its own container past the network. */
  readServed(service: string): Promise<Record<string, readonly string[]>>
  stop(options?: { readonly hasFailed?: boolean }): Promise<void>
}

/** Brings up a lab with the services' image on every node, and a profile for it; nothing is served yet. */
export async function startSwarmFleet(options: SwarmFleetOptions = {}): Promise<SwarmFleet> {
  const { nodes = 3, managers = 1, clusters = 2, prepareImage } = options
  const lab = await startLab({ state: makeState(), nodes, managers })
  try {
    const own = await bringImage(lab)
    const image = prepareImage ? await prepareImage(lab, own) : own
    const members = mergeMembers(describeProfile(lab, { clusters, image }), options.profile)
    const fleet = createFleet(lab, members, clusters)
    await mkdir(fleet.path('dgs'))
    await fleet.configure()
    return fleet
  } catch (error) {
    await lab.stop({ hasFailed: true })
    throw error
  }
}

function createFleet(lab: Lab, members: ProfileMembers, clusters: number): SwarmFleet {
  const directory = makeTempDir()
  const galleries = new Map<string, readonly Question[]>()
  const path = (...names: string[]) => join(directory, ...names)
  const profile = path('profile.yml')
  const start: SwarmFleet['start'] = (script, ...args) =>
    startScript(script, [...args, '--profile', profile, '--yes', '--json'], {
      cwd: directory,
      timeoutMs: 240_000,
    })
  return {
    lab,
    directory,
    profile,
    clusters: [...Array(clusters).keys()],
    galleries,
    path,
    configure: async (more) => {
      const generations = path('dgs')
      await writeFile(profile, stringify(mergeMembers({ ...members, generations }, more)))
    },
    async makeGeneration(name, items = 240) {
      const questions = makeQuestions(name, items).map((each) => ({ ...each, id: idOf(each.text) }))
      const texts = questions.map(({ text }) => text)
      await makeGeneration(path('dgs'), { name, texts, clusters, dimensions: TEST_MODEL.dimensions })
      galleries.set(name, questions)
      return path('dgs', name)
    },
    start,
    run: (script, ...args) => start(script, ...args).ended,
    load({ clients = 6, perSecond = 350 } = {}) {
      const balancer = startBalancer(
        lab.nodes.map(({ host }) => host),
        PORT,
      )
      const { connect } = balancer
      const load = startLoad('http://fleet', galleries, {
        clients,
        perSecond,
        connect,
        render: renderVectorSearch,
      })
      return { seen: load.seen, stop: () => load.stop().finally(balancer.stop) }
    },
    readServed: (service) => readServed(lab, `${FLEET}_${service}`),
    stop: (how) => lab.stop(how),
  }
}

/** Few tasks and short waits: two processors bear three nodes with all their tasks. */
function describeProfile(lab: Lab, { clusters, image }: { clusters: number; image: string }): ProfileMembers {
  const [{ key, knownHosts }] = lab.nodes as [Lab['nodes'][number]]
  return {
    name: FLEET,
    engine: 'swarm',
    nodes: lab.nodes.map(({ name, host }) => ({ name, host })),
    ssh: { identityFile: key, knownHostsFile: knownHosts },
    swarm: {
      managers: lab.nodes.filter(({ isManager }) => isManager).map(({ name }) => name),
      // The routing mesh needs IPVS, which not every kernel has.
      publish: 'host',
      image,
      healthSeconds: 2,
      lameDuckSeconds: 2,
      graceSeconds: 8,
      monitorSeconds: 1,
    },
    model: TEST_MODEL,
    gateway: { replicas: 2, port: PORT },
    index: { replicas: 2 },
    split: { clusters },
    gates: { selfRouting: 0.8, recall: 0.8 },
    update: { deadlineSeconds: 60, soakSeconds: 1, leaseSeconds: 10 },
  }
}

/** Mappings are merged member by member, one level deep; anything else is replaced. */
function mergeMembers(base: ProfileMembers, more: ProfileMembers = {}): ProfileMembers {
  const merged = Object.entries(more).map(([name, value]) => {
    const former = base[name]
    return [name, isMapping(former) && isMapping(value) ? { ...former, ...value } : value]
  })
  return { ...base, ...Object.fromEntries(merged) }
}

function isMapping(value: unknown): value is ProfileMembers {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
