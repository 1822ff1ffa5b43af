import { LongshoreError } from '../domain/errors.ts'
import { countBytes, countItems, type Manifest } from '../domain/manifest.ts'
import type { Carried } from '../ports/archives.ts'
import type { Answer, Context } from './context.ts'

export type BackupContext = Pick<Context, 'archives' | 'generations' | 'reporter' | 'signal' | 'dryRun'>

/** Writes a generation, the newest one where none is named, with its items into one file, and proves it. Raises `not-found`. */
export async function backup(
  context: BackupContext,
  { generation, to }: { readonly generation: string | undefined; readonly to: string | undefined },
): Promise<Answer> {
  const { archives, generations, dryRun } = context
  const name = generation ?? (await generations.list()).at(-1)
  if (name === undefined) throw new LongshoreError('not-found', 'there is no generation to back up')
  const manifest = await generations.read(name)
  const path = to ?? `${name}.tar`
  if (dryRun) return answer(manifest, { text: `would write ${path}`, path })
  const written = await archives.write(
    manifest,
    path,
    follow(context, `back up ${name}`, countBytes(manifest)),
  )
  const text = `${path}: ${name} with ${countItems(manifest)} items, ${written.bytes} bytes, read back\nsha256:${written.sha256}`
  return answer(manifest, { text, ...written, path })
}

/** Makes the generation of an archive. Raises `usage` where another one has its name. */
export async function restore(context: BackupContext, path: string): Promise<Answer> {
  const { archives, generations, dryRun } = context
  const inside = await archives.readManifest(path)
  const { generation, digest } = inside
  if ((await generations.list()).includes(generation)) {
    const present = await generations.read(generation)
    if (present.digest === digest) {
      return {
        ...answer(inside, { text: `${generation} is there already\n${digest}`, path }),
        outcome: 'nothing-to-do',
      }
    }
    throw new LongshoreError('usage', `${generation} is there already, and is another one than in ${path}`, {
      hint: 'move the generation that is there away first; nothing is overwritten',
    })
  }
  if (dryRun) return answer(inside, { text: `would make ${generations.locate(generation)}`, path })
  const restored = await archives.restore(path, follow(context, `restore ${generation}`, countBytes(inside)))
  const text = `${generation} restored: ${countItems(restored)} items, ${generations.locate(generation)}\n${digest}`
  return answer(restored, { text, path })
}

function follow({ reporter, signal }: BackupContext, task: string, total: number): Carried {
  let done = 0
  return {
    signal,
    onBytes: (bytes) => {
      done += bytes
      reporter.progress({ task, done: Math.min(done, total), total, unit: 'bytes' })
    },
  }
}

function answer(
  { generation, digest }: Manifest,
  { text, ...json }: { readonly text: string; readonly path: string },
): Answer {
  return { outcome: 'done', text, json: { ...json, generation, digest } }
}
