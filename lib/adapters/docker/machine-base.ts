import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { LongshoreError } from '../../domain/errors.ts'
import { isForeignBinary } from './contents.ts'
import { type DockerOptions, describeFailure, engineArguments, loadExeca } from './docker.ts'

/** Files without which a C library knows no user and no host. */
const ETC = {
  passwd: 'root:x:0:0:root:/:/sbin/nologin\nnode:x:1000:1000:node:/:/sbin/nologin\n',
  group: 'root:x:0:\nnode:x:1000:\n',
  'nsswitch.conf': 'hosts: files dns\n',
}
const CHANGES = ['ENV PATH=/usr/local/bin']

/**
 * Makes the image `name` of this machine's Node.js, the shared libraries that it needs, and the packages that are
 * installed in `root`, without any registry; it holds no shell. Raises `usage` where this machine is not one that a
 * container can be like, `remote` when the engine fails.
 */
export async function importMachine(root: string, name: string, options: DockerOptions): Promise<void> {
  if (process.platform !== 'linux') {
    throw new LongshoreError('usage', `an image cannot be made of the Node.js of ${process.platform}`, {
      hint: 'name a base with --base, for example node:24-slim',
    })
  }
  const tree = await mkdtemp(join(tmpdir(), 'longshore-base-'))
  try {
    await Promise.all([placeNode(tree), placePackages(root, tree), placeEtc(tree)])
    await placeLibraries(tree)
    await importTree(tree, name, options)
  } finally {
    await rm(tree, { recursive: true, force: true })
  }
}

async function placeNode(tree: string): Promise<void> {
  await place(await realpath(process.execPath), join(tree, 'usr/local/bin/node'))
}

/** The shared libraries of this machine that Node.js and the packages need; those that packages bring are there already. */
async function placeLibraries(tree: string): Promise<void> {
  const { execa } = await loadExeca()
  const entries = await readdir(tree, { recursive: true, withFileTypes: true })
  const binaries = entries
    .filter((entry) => entry.isFile() && /^node$|\.node$|\.so(\.\d+)*$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
  // Binaries for another C library are no dynamic executables here.
  const printed = await Promise.all(binaries.map((binary) => execa('ldd', [binary], { reject: false })))
  const named = printed.flatMap(({ stdout }) => stdout.match(/(?<=\s)\/\S+/g) ?? [])
  const libraries = [...new Set(named)].filter((library) => !library.startsWith(tree))
  await Promise.all(libraries.map(async (library) => place(await realpath(library), join(tree, library))))
}

/** The packages that the lock file does not mark for development; the one that brings Node.js is there already. */
async function placePackages(root: string, tree: string): Promise<void> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>
  }
  const folders = Object.keys(lock.packages).filter(
    (folder) => /^node_modules\/(?!.*\/node_modules\/)/.test(folder) && folder !== 'node_modules/node',
  )
  const wanted = folders.filter((folder) => !lock.packages[folder]?.dev && existsSync(join(root, folder)))
  await Promise.all(wanted.map((folder) => place(join(root, folder), join(tree, 'app', folder))))
}

async function placeEtc(tree: string): Promise<void> {
  await Promise.all(['etc', 'tmp', 'data', 'proc', 'sys', 'dev'].map((folder) => mkdir(join(tree, folder))))
  for (const [file, text] of Object.entries(ETC)) await writeFile(join(tree, 'etc', file), text)
}

async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await cp(from, to, { recursive: true, verbatimSymlinks: true, filter: (path) => !isForeignBinary(path) })
}

async function importTree(tree: string, name: string, { signal, host }: DockerOptions): Promise<void> {
  const { execa } = await loadExeca()
  const changes = CHANGES.flatMap((change) => ['--change', change])
  const args = ['import', ...changes, '-', name]
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=u+rwX,go+rX,go-w']
  try {
    await execa('tar', ['--create', '--sort=name', '--mtime=@0', ...owner, '-C', tree, '.'], {
      buffer: { stdout: false },
      cancelSignal: signal,
    }).pipe('docker', [...engineArguments(host), ...args], { cancelSignal: signal })
  } catch (error) {
    throw describeFailure(error, args, signal)
  }
}
