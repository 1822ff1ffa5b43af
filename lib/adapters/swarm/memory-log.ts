import { LongshoreError, messageOf } from '../../domain/errors.ts'
import {
  EMPTY_MEMORY,
  findNumbers,
  type Memory,
  memoryName,
  memoryPrefix,
  parseMemory,
  renderMemory,
} from '../../domain/swarm-memory.ts'
import { createConfig, inspectConfig, listConfigs, readClock, removeConfigs } from './docker-argv.ts'
import { describeFailure, type Manager } from './docker-client.ts'
import { splitLines } from './read-fleet.ts'

/** One state of a fleet's memory. */
export type Head = {
  /** 0 where nothing was ever written. */
  readonly number: number
  readonly memory: Memory
  /** By the clock of a manager. */
  readonly createdAt: string
}

export type CallOptions = { readonly signal: AbortSignal; readonly patienceMs?: number }

/** The states of a fleet's memory, as numbered configs of a Swarm; the largest number is what holds. */
export interface MemoryLog {
  /** The number of the newest state, 0 where nothing was ever written. */
  readNewest(options: CallOptions): Promise<number>
  readHead(options: CallOptions): Promise<Head>
  /**
   * Whether this was the first to write that number, and it is the largest: a Swarm's managers agree on one. Who was
   * away for long may find a number free that was used and pruned.
   */
  create(number: number, memory: Memory, options: CallOptions): Promise<boolean>
  /** Removes what is older than the ten newest states. */
  prune(newest: number, options: CallOptions): Promise<void>
  /** Milliseconds since the epoch, by the clock of a manager. */
  readClock(options: CallOptions): Promise<number>
}

const KEPT = 10

export function createMemoryLog(manager: Manager, fleet: string): MemoryLog {
  const list = listConfigs(memoryPrefix(fleet))
  const readNumbers = async (options: CallOptions) => parseNumbers(await manager.read(list, options), fleet)
  return {
    readNewest: async (options) => (await readNumbers(options)).at(-1) ?? 0,
    async readHead(options) {
      for (;;) {
        const number = (await readNumbers(options)).at(-1)
        if (number === undefined) return { number: 0, memory: EMPTY_MEMORY, createdAt: '' }
        const args = inspectConfig(memoryName(fleet, number))
        const result = await manager.run(args, options)
        if (result.code === 0) return parseHead(result.stdout, number, memoryName(fleet, number))
        // Newer ones were written meanwhile, and this one was removed.
        if (!/not found|no such/i.test(result.stderr)) throw describeFailure(args, result)
      }
    },
    async create(number, memory, options) {
      const args = createConfig(memoryName(fleet, number), { fleet, fence: memory.fence })
      const result = await manager.run(args, { ...options, stdin: renderMemory(memory), followedBy: list })
      if (result.code === 0) return parseNumbers(result.stdout, fleet).at(-1) === number
      if (/already exists/i.test(result.stderr)) return false
      throw describeFailure(args, result)
    },
    async prune(newest, options) {
      const old = (await readNumbers(options)).filter((number) => number <= newest - KEPT)
      if (old.length === 0) return
      const args = removeConfigs(old.map((number) => memoryName(fleet, number)))
      const result = await manager.run(args, options)
      if (result.code !== 0 && !/not found|no such/i.test(result.stderr)) throw describeFailure(args, result)
    },
    readClock: async (options) => Date.parse(JSON.parse(await manager.read(readClock(), options)) as string),
  }
}

/** Among lines that are JSON; docker prints the id of what it creates as it is. */
function parseNumbers(output: string, fleet: string): number[] {
  const names = splitLines(output).filter((line) => line.startsWith('"'))
  return findNumbers(
    names.map((line) => JSON.parse(line) as string),
    fleet,
  )
}

function parseHead(output: string, number: number, name: string): Head {
  try {
    const [config] = JSON.parse(output) as { CreatedAt: string; Spec: { Data: string } }[]
    const text = Buffer.from(config!.Spec.Data, 'base64').toString('utf8')
    return { number, memory: parseMemory(text), createdAt: config!.CreatedAt }
  } catch (error) {
    throw new LongshoreError('corrupt', `config ${name}: ${messageOf(error)}`, {
      hint: `make sure that no command is running, then remove it (docker config rm ${name}): the state before it holds again`,
      cause: error,
    })
  }
}
