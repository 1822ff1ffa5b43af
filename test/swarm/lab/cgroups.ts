import { existsSync, globSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { eventually } from '../../support/eventually.ts'

const ROOT = '/sys/fs/cgroup'
/** The kernel takes its time on a busy machine. */
const END_MS = 60_000
const IS_V2 = existsSync(join(ROOT, 'cgroup.controllers'))

/** Makes the cgroup `path` in every hierarchy; the files that a process writes 0 to, to be in it. */
export function createGroup(path: string): string[] {
  return hierarchies().map((hierarchy) => {
    const names = path.split('/')
    for (const depth of names.keys()) {
      const group = join(hierarchy, ...names.slice(0, depth + 1))
      mkdirSync(group, { recursive: true })
      // A new cpuset of cgroup v1 owns nothing, and takes no process until it does.
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        if (!IS_V2 && existsSync(join(group, file))) copyDown(group, file)
      }
    }
    return join(hierarchy, path, 'cgroup.procs')
  })
}

/** Lets the processes of a cgroup together weigh as much as so many processes outside when they ask for the processor. */
export function weighGroup(path: string, weight: number): void {
  createGroup(path)
  if (IS_V2) writeFileSync(join(ROOT, path, 'cpu.weight'), `${Math.min(10_000, 100 * weight)}`)
  else writeFileSync(join(ROOT, 'cpu', path, 'cpu.shares'), `${1024 * weight}`)
}

/** Ends every process of the cgroup and of those below, frozen ones too. Raises when one is still there after a minute. */
export async function killGroup(path: string): Promise<void> {
  await eventually(() => {
    for (const group of groupsBelow(path, 'freezer')) setFrozen(group, false)
    const left = listProcesses(path)
    for (const pid of left) kill(pid)
    if (left.length > 0) throw new Error(`these processes do not end: ${left.join(' ')}`)
  }, END_MS)
}

/** Removes the cgroup and those below from every hierarchy; they must be empty, which takes the kernel a moment. */
export async function removeGroup(path: string): Promise<void> {
  await eventually(() => {
    const groups = hierarchies().flatMap((hierarchy) => listGroups(join(hierarchy, path)))
    for (const group of groups.toReversed()) rmdirSync(group)
  }, END_MS)
}

/** Stops or continues every process of the cgroup and of those below. */
export function freezeGroup(path: string, isFrozen: boolean): void {
  setFrozen(join(IS_V2 ? ROOT : join(ROOT, 'freezer'), path), isFrozen)
}

/** Processes of the cgroup and of those below, by their numbers on this machine. */
export function listProcesses(path: string): number[] {
  return groupsBelow(path, 'pids').flatMap((group) => {
    const text = readOrEmpty(join(group, 'cgroup.procs'))
    return text.split('\n').filter(Boolean).map(Number)
  })
}

/** The process of the cgroup that is the first in a PID namespace directly below this machine's, if it runs. */
export function findInit(path: string): number | undefined {
  return listProcesses(path).find((pid) => /^NSpid:\t\d+\t1$/m.test(readOrEmpty(`/proc/${pid}/status`)))
}

function hierarchies(): string[] {
  return IS_V2 ? [ROOT] : globSync(`${ROOT}/*/cgroup.procs`).map(dirname)
}

function groupsBelow(path: string, controller: string): string[] {
  return listGroups(IS_V2 ? join(ROOT, path) : join(ROOT, controller, path))
}

/** A cgroup and those below, parents first. */
function listGroups(directory: string): string[] {
  if (!existsSync(directory)) return []
  return [directory, ...globSync(`${directory}/**/*/`).map((group) => group.replace(/\/$/, ''))].sort()
}

function copyDown(group: string, file: string): void {
  if (readOrEmpty(join(group, file)).trim() !== '') return
  writeFileSync(join(group, file), readFileSync(join(dirname(group), file)))
}

function setFrozen(group: string, isFrozen: boolean): void {
  if (IS_V2) writeFileSync(join(group, 'cgroup.freeze'), isFrozen ? '1' : '0')
  else writeFileSync(join(group, 'freezer.state'), isFrozen ? 'FROZEN' : 'THAWED')
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The text of a file of the kernel, empty when what it tells of has just ended. */
function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}
