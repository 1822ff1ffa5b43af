import { readdir, readFile, readlink } from 'node:fs/promises'
import { listProcesses } from './cgroups.ts'
import { layOut } from './layout.ts'
import { hostLink } from './network.ts'
import { ask } from './quiet.ts'

const KINDS = ['net', 'mnt', 'pid', 'uts', 'ipc'] as const

/** What one lab has left on this machine, whatever others have there meanwhile, other labs above all. */
export type Traces = {
  /** Remembers the namespaces of all that runs in the lab now: once it has ended, nothing else tells whose they were. */
  record(): Promise<void>
  /** A line for each process, namespace, mount, link, cgroup, disk and file of the lab. */
  list(): Promise<string[]>
}

/** Looks for what the lab in a directory leaves, by its names, and by namespaces that its processes were seen in. */
export function watchTraces(state: string): Traces {
  const lab = layOut({ state, nodes: 0, managers: 0 })
  const spaces = new Set<string>()
  const isOwn = (text: string) =>
    text.includes(lab.state) || text.includes(lab.id) || [...spaces].some((space) => text.includes(space))
  return {
    async record() {
      const outside = await readNamespaces('self')
      const found = (await Promise.all(listProcesses(lab.id).map(readNamespaces))).flat()
      for (const space of found) if (!outside.includes(space)) spaces.add(space)
    },
    async list() {
      const mounts = await readFile('/proc/self/mountinfo', 'utf8')
      const disks = (await ask`losetup --list --noheadings --output BACK-FILE`).stdout
      const links = (await ask`ip -oneline link show ${hostLink(lab)}`).stdout
      // Cgroups of others may go while it looks.
      const named = (await ask`find /run /sys/fs/cgroup -name ${`*${lab.id}*`}`).stdout
      const files = (await ask`ls -d ${lab.state}`).stdout
      const lines = `${mounts}\n${disks}`.split('\n').filter(isOwn)
      const rest = `${links}\n${named}\n${files}`.split('\n').filter(Boolean)
      return [...lines, ...rest, ...(await listOwnProcesses(isOwn))]
    },
  }
}

async function listOwnProcesses(isOwn: (text: string) => boolean): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const told = await Promise.all(pids.map(describeProcess))
  return told.filter(isOwn)
}

/** Number, command line, cgroups and namespaces of a process, as far as they can be read. */
async function describeProcess(pid: string): Promise<string> {
  const [command, groups] = await Promise.all(
    ['cmdline', 'cgroup'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(ignoreUnreadable)),
  )
  const spaces = await readNamespaces(pid)
  return [pid, command!.replaceAll('\0', ' '), groups!.replaceAll('\n', ' '), ...spaces].join(' ')
}

async function readNamespaces(pid: number | string): Promise<string[]> {
  const spaces = KINDS.map((kind) => readlink(`/proc/${pid}/ns/${kind}`).catch(ignoreUnreadable))
  return (await Promise.all(spaces)).filter(Boolean)
}

function ignoreUnreadable(error: NodeJS.ErrnoException): string {
  // It has ended, or is closed to root itself, as no process of a lab is.
  if (['ENOENT', 'ESRCH', 'EACCES'].includes(error.code ?? '')) return ''
  throw error
}
