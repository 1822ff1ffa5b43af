import { type EngineReport, parseDocker } from '../../domain/engine-report.ts'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { ClockReport } from '../../domain/examine-clocks.ts'
import type { DirectoryReport } from '../../domain/examine-directories.ts'
import type { GpuReport } from '../../domain/examine-gpu-files.ts'
import type { ImageReport } from '../../domain/examine-images.ts'
import type { Holding } from '../../domain/examine-marks.ts'
import { isListening, type PortReport } from '../../domain/examine-ports.ts'
import { parseSshd, type SshdReport } from '../../domain/examine-sshd.ts'
import { parseEngineOffer } from '../../domain/gpu-settings.ts'
import type { RemoteShell, RunResult } from '../../ports/remote-shell.ts'
import type { Transport } from '../../ports/transport.ts'
import { inspectImage, listPublishers, readInfo, readVersions } from './docker-argv.ts'
import { splitLines } from './read-fleet.ts'

/** Everything that one machine tells of itself. */
export type Machine = {
  readonly clock: ClockReport
  readonly engine: EngineReport
  /** One for each image that the node shall have. */
  readonly images: readonly ImageReport[]
  readonly gpus: GpuReport
  readonly directory: DirectoryReport
  /** Null where we may not read its limits. */
  readonly sshd: SshdReport | null
  readonly port: PortReport
  readonly holding: Holding
}

export type MachineParts = {
  readonly shell: RemoteShell
  /** Reads what lies on the disk, whatever it is marked as. */
  readonly transport: Pick<Transport, 'inspect'>
  readonly directory: string
  readonly images: readonly string[]
  readonly port: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const DOCKER_MS = 8000
/** Where these are not there, or not to be read, nothing is told. */
const DAEMON_FILE = '/etc/docker/daemon.json'
const RUNTIME_FILE = '/etc/nvidia-container-runtime/config.toml'

type Node = { readonly name: string; readonly user: string }
type Run = (...argv: readonly string[]) => Promise<RunResult>

// The path as `$1`. Tells of the directory, or of the nearest one above it that is there.
const LOOK_AT_DIRECTORY = `
kind=missing nearest=$1
[ ! -e "$1" ] || kind=other
[ ! -d "$1" ] || kind=directory
while [ ! -e "$nearest" ]; do nearest=$(dirname -- "$nearest"); done
isWritable=false
[ ! -w "$nearest" ] || isWritable=true
stat -L -c "$kind $isWritable %a %u %g $(umask)" -- "$nearest"`

/** Asks one machine, changing nothing. Raises `remote` when it cannot be reached or is lost meanwhile. */
export async function readMachine(node: Node, parts: MachineParts, signal: AbortSignal): Promise<Machine> {
  const { name } = node
  const run: Run = (...argv) => parts.shell.run(name, argv, { signal })
  const docker = (args: readonly string[]) => askDocker(name, args, parts.shell, signal)
  const [version, info, images, daemon, runtime, containers, table, directory, limits, facts] =
    await Promise.all([
      docker(readVersions()),
      docker(readInfo()),
      Promise.all(parts.images.map((image) => docker(inspectImage(image)))),
      run('cat', DAEMON_FILE),
      run('cat', RUNTIME_FILE),
      docker(listPublishers(parts.port)),
      run('cat', '/proc/net/tcp', '/proc/net/tcp6'),
      run('sh', '-c', LOOK_AT_DIRECTORY, 'sh', parts.directory),
      run('sh', '-c', 'PATH=$PATH:/usr/sbin:/sbin; exec sshd -T'),
      parts.transport.inspect(name, signal),
    ])
  const engine = { ...node, docker: parseDocker(version, info) }
  return {
    engine,
    images: images.map((image) => ({
      name,
      architecture: 'problem' in engine.docker ? null : engine.docker.architecture,
      image: parseImage(image),
    })),
    gpus: { name, daemon: daemon.stdout, runtime: runtime.stdout, offer: parseEngineOffer(info) },
    directory: parseDirectory(node, directory),
    sshd: parseSshd(name, limits.stdout),
    port: { name, isTaken: isListening(table.stdout, parts.port), containers: parseContainers(containers) },
    holding: { name, generations: facts.generations },
    // Last, when the connection stands and nothing else keeps it busy.
    clock: await readClock(name, run, parts.now),
  }
}

/** An engine that hangs must not hide what its machine says: whether that can be reached, other commands tell. */
async function askDocker(name: string, args: readonly string[], shell: RemoteShell, signal: AbortSignal) {
  try {
    return await shell.run(name, ['docker', ...args], { signal, timeoutMs: DOCKER_MS })
  } catch (error) {
    signal.throwIfAborted()
    return { code: 1, stdout: '', stderr: messageOf(error) }
  }
}

async function readClock(name: string, run: Run, now: () => number): Promise<ClockReport> {
  const before = now()
  const { stdout } = await run('date', '+%s.%N')
  const after = now()
  return { name, skewMs: Number(stdout) * 1000 - (before + after) / 2, errorMs: (after - before) / 2 }
}

function parseImage({ code, stdout }: RunResult): ImageReport['image'] {
  if (code !== 0) return null
  const [image] = JSON.parse(stdout) as { Id: string; Architecture: string }[]
  return image ? { id: image.Id, architecture: image.Architecture } : null
}

function parseDirectory({ name, user }: Node, { stdout, stderr }: RunResult): DirectoryReport {
  const form = /^(directory|missing|other) (true|false) ([0-7]+) (\d+) (\d+) ([0-7]+)$/
  const [, kind, isWritable, mode, uid, gid, umask] = form.exec(stdout.trim()) ?? []
  if (umask === undefined) {
    throw new LongshoreError('remote', `${name}: the data directory cannot be looked at: ${stderr.trim()}`)
  }
  return {
    name,
    user,
    kind: kind as DirectoryReport['kind'],
    isWritable: isWritable === 'true',
    mode: Number.parseInt(mode!, 8),
    uid: Number(uid),
    gid: Number(gid),
    umask: Number.parseInt(umask, 8),
  }
}

function parseContainers({ stdout }: RunResult): PortReport['containers'] {
  return splitLines(stdout).map((line) => {
    const { Names, Labels } = JSON.parse(line) as { Names: string; Labels: string }
    const [, service = null] = /(?:^|,)com\.docker\.swarm\.service\.name=([^,]*)/.exec(Labels) ?? []
    return { name: Names, service }
  })
}
