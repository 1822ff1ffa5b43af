import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { Json } from '../../domain/canonical-json.ts'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { StackFiles, StackPlace } from '../../ports/stack-files.ts'
import { hasCode, syncDirectory, writeDurably } from './durable-files.ts'

export type StackFilesSettings = {
  /** Directory of profiles and what is made of them. */
  readonly root: string
  readonly profile: string
}

/** One readable YAML file for each place, in `staging/`, `current/` and `former/` below `root`. */
export function createStackFiles({ root, profile }: StackFilesSettings): StackFiles {
  const paths: Readonly<Record<StackPlace, string>> = {
    staging: join(root, 'staging', profile, 'stack.yml'),
    unfinished: join(root, 'staging', profile, 'before.yml'),
    current: join(root, 'current', profile, 'stack.yml'),
    former: join(root, 'former', profile, 'stack.yml'),
  }
  return {
    locate: (place) => paths[place],
    read: (place) => readDocument(paths[place]),
    write: (place, document) => writeDurably(paths[place], renderDocument(profile, document)),
    async move(from, to) {
      const [source, target] = [paths[from], paths[to]]
      await mkdir(dirname(target), { recursive: true })
      await rename(source, target)
      await syncDirectory(dirname(target))
      await syncDirectory(dirname(source))
    },
    remove: (place) => rm(paths[place], { force: true }),
  }
}

async function readDocument(path: string): Promise<Json | null> {
  try {
    return parse(await readFile(path, 'utf8')) as Json
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw new LongshoreError('corrupt', `${path}: ${messageOf(error)}`, { cause: error })
  }
}

function renderDocument(profile: string, document: Json): string {
  const head = `# The services of the profile ${profile}. Written by apply.mjs: change the profile, not this file.\n`
  return head + stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 })
}
