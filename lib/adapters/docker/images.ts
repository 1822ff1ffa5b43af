import { fileURLToPath } from 'node:url'
import type { ImageSource, ImageStore } from '../../ports/image-store.ts'
import { digestContents, digestPackages } from './contents.ts'
import { type DockerOptions, describeFailure, engineArguments, loadExeca, runDocker } from './docker.ts'
import { importMachine } from './machine-base.ts'
import { buildModelImage } from './model-image.ts'

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url))

export type DockerImagesOptions = {
  /** The project's directory, with its Dockerfile. */
  readonly root?: string
  /** The engine's address; by default that of DOCKER_HOST or of this machine. */
  readonly host?: string
}

/** Images kept by a Docker engine that the `docker` of this machine reaches. */
export function createDockerImages({ root = PROJECT, host }: DockerImagesOptions = {}): ImageStore {
  const at = (signal: AbortSignal): DockerOptions => ({ signal, host, cwd: root })
  const has: ImageStore['has'] = async (name, signal) => {
    const listed = await runDocker(['image', 'ls', '--quiet', name], at(signal))
    return listed !== ''
  }
  return {
    identify: async (source) => `longshore:${await digestContents(root, source)}`,
    has,
    async build(name, source, signal) {
      if (source.kind === 'model') return await buildModelImage(name, source, at(signal))
      const base = await prepareBase(root, source, has, at(signal))
      await runDocker(['build', '--quiet', '--tag', name, ...base, '.'], at(signal))
    },
    read: (name, signal) => readArchive(name, at(signal)),
    async push(name, as, signal) {
      await runDocker(['tag', name, as], at(signal))
      await runDocker(['push', '--quiet', as], at(signal))
    },
  }
}

/** What `docker build` must be told of the base; made first where it is this machine. */
async function prepareBase(
  root: string,
  source: ImageSource,
  has: ImageStore['has'],
  options: DockerOptions,
): Promise<string[]> {
  if (source.kind === 'base') return ['--build-arg', `BASE=${source.image}`]
  const base = `longshore-base:${await digestPackages(root)}`
  if (!(await has(base, options.signal))) await importMachine(root, base, options)
  return ['--build-arg', `BASE=${base}`, '--target', 'machine', '--network', 'none']
}

async function* readArchive(name: string, { signal, host }: DockerOptions): AsyncIterable<Uint8Array> {
  const { execa } = await loadExeca()
  const args = ['save', name]
  const saving = execa('docker', [...engineArguments(host), ...args], {
    cancelSignal: signal,
    buffer: { stdout: false },
    stdin: 'ignore',
  })
  try {
    yield* saving.iterable({ binary: true, preserveNewlines: true })
    await saving
  } catch (error) {
    throw describeFailure(error, args, signal)
  }
}
