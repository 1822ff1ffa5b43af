import { access, constants, mkdir, readdir, readFile, realpath, rm, stat } from 'node:fs/promises'
import { extname, join, resolve, sep } from 'node:path'
import { hasCode, writeDurably } from '../../lib/adapters/files/durable-files.ts'
import { DeepdetectError } from './deepdetect-answers.ts'
import { isObject } from './request-values.ts'

const CONFIG = 'config.json'
/** What `clear=lib` deletes: the files of models, as DeepDetect does by library. */
const MODEL_FILES: readonly string[] = ['.onnx', '.json', '.pt', '.ptw']

export type RepositoryRules = {
  /** Directory that repositories must lie in: whoever reaches the port may write there, and delete. */
  readonly root: string
  readonly creates: boolean
}

/** Raises DeepdetectError 1006 unless the directory lies below the root, is there, or may be made, and can be written to. */
export async function checkRepository(directory: string, { root, creates }: RepositoryRules): Promise<void> {
  if (!resolve(directory).startsWith(resolve(root) + sep)) refuseDirectory(directory)
  if (creates) await mkdir(directory, { recursive: true }).catch(() => refuseFile(directory))
  const found = await stat(directory).catch(() => undefined)
  if (found && !found.isDirectory()) return refuseFile(directory)
  const isWritable = await access(directory, constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!found || !isWritable) return refuseDirectory(directory)
  // A link may lead out of the root.
  if (!(await realpath(directory)).startsWith((await realpath(root)) + sep)) refuseDirectory(directory)
}

function refuseDirectory(directory: string): never {
  throw new DeepdetectError(
    1006,
    `destination model directory ${directory} is not writable or does not exist.`,
  )
}

function refuseFile(directory: string): never {
  throw new DeepdetectError(1006, `file exists with same name as repository ${directory}`)
}

/** Keeps the body of the creation in the repository, unless the model has a config.json of another kind there. */
export async function writeConfig(directory: string, body: string): Promise<void> {
  const path = join(directory, CONFIG)
  const former = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return '{"mllib":""}'
    throw error
  })
  if (isCreation(former)) await writeDurably(path, body)
}

function isCreation(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) && value.mllib !== undefined
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** Deletes what `clear` names: `full` all files, `dir` the directory too, `lib` those of the model; nothing for anything else. */
export async function clearRepository(directory: string, clear: string): Promise<void> {
  if (clear === 'dir') return await rm(directory, { recursive: true })
  if (clear !== 'full' && clear !== 'lib') return
  const entries = await readdir(directory, { withFileTypes: true })
  const files = entries.filter(
    (entry) => entry.isFile() && (clear === 'full' || MODEL_FILES.includes(extname(entry.name))),
  )
  for (const { name } of files) await rm(join(directory, name))
}
