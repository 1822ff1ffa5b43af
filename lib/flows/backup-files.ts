import { resolve } from 'node:path'
import { LongshoreError } from '../domain/errors.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { GalleryFile, GalleryFiles } from '../ports/archives.ts'
import type { SourceItem } from '../ports/input.ts'
import type { Context } from './context.ts'
import { listItems } from './split-items.ts'

/** Files that are kept with a generation, and how many its items stand for that nothing says the place of. */
export type KeptFiles = { readonly gallery: GalleryFiles | undefined; readonly left: number }

type Files = Manifest['source']['files']

/**
 * The files that a generation's items stand for. Those of a directory that it was made of are all in it, as they were then,
 * below `asked` or where they were found; of any other gallery those that its items name, below `asked`; none for `false`.
 * Raises `usage` where nobody can tell what the directory was.
 */
export async function findKeptFiles(
  context: Pick<Context, 'generations' | 'inputs' | 'signal'>,
  { generation, source }: Manifest,
  asked: string | false | undefined,
): Promise<KeptFiles> {
  if (asked === false) return { gallery: undefined, left: 0 }
  const { named, first } = await readNames(context, generation)
  if (/^files\b/.test(source.kind) && first !== undefined) {
    const root = findRoot(source.files, first)
    if (root === undefined) {
      throw new LongshoreError(
        'usage',
        `${generation}: its items do not tell what directory it was made of`,
        {
          hint: 'keep it without its files: --no-files',
        },
      )
    }
    return { gallery: { root: asked ?? root, files: listSources(source.files, root, asked) }, left: 0 }
  }
  if (named.size === 0) return { gallery: undefined, left: 0 }
  if (asked === undefined) return { gallery: undefined, left: named.size }
  return { gallery: { root: asked, files: [...named].map((path) => ({ path })) }, left: 0 }
}

/** The files that items name, and what the first item is called in its directory. */
async function readNames(
  { generations, inputs, signal }: Pick<Context, 'generations' | 'inputs' | 'signal'>,
  generation: string,
): Promise<{ named: Set<string>; first: string | undefined }> {
  const named = new Set<string>()
  let first: string | undefined
  const input = await inputs.open(generations.locate(generation), { dimensions: 0 })
  for await (const batch of input.read(signal)) {
    for (const item of listItems(batch.items)) {
      const file = fileOf(item)
      if (file !== undefined) named.add(file)
      first ??= file ?? item.id
    }
  }
  return { named, first }
}

function fileOf({ file }: SourceItem): string | undefined {
  return typeof file === 'string' ? file : undefined
}

/** The directory that files lay in of which one was called `name` there. */
function findRoot(files: Files, name: string): string | undefined {
  const paths = files.map(({ path }) => resolve(path))
  return paths
    .filter((path) => path.endsWith(`/${name}`))
    .map((path) => path.slice(0, -name.length - 1))
    .find((root) => paths.every((path) => path.startsWith(`${root}/`)))
}

/** In another directory than that where they were found, files are known by their length alone. */
function listSources(files: Files, root: string, asked: string | undefined): GalleryFile[] {
  const isThere = asked === undefined || resolve(asked) === root
  return files.map(({ path, bytes, modifiedMs }) => ({
    path: resolve(path).slice(root.length + 1),
    ...(isThere ? { bytes, modifiedMs } : { bytes }),
  }))
}
