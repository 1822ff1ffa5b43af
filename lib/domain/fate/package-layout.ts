/** Where FATE keeps what in the directory of a version. */
export const META_FILE = 'define/define_meta.yaml'
export const IMPORT_FILE = 'import_model.json'
export const PIPELINE = 'variables/data/pipeline/pipeline/Pipeline'
/** A second copy of the pipeline, in packages of 1.5 to 1.8 alone. */
export const FORMER_PIPELINE = 'pipeline.pb'

/** `describe` tells the parts of `define_meta.yaml` that count: modules by component, and the buffers that must be there. */
export type DefineMeta = {
  readonly modules: Readonly<Record<string, string>>
  readonly buffers: readonly BufferPlace[]
}

/** One buffer of a component: `variables/data/<component>/<alias>/<buffer>`. */
export type BufferPlace = { readonly component: string; readonly alias: string; readonly buffer: string }

/** What a file of a package is. */
export type FileKind =
  | 'buffer'
  | 'sidecar'
  | 'pipeline'
  | 'pipeline-sidecar'
  | 'import'
  | 'lock'
  | 'checkpoint'
  | 'other'

const BUFFER = /^variables\/data\/([^/]+)\/([^/]+)\/([^/]+?)(\.json)?$/

/** What a file is, by its path. */
export function kindOf(path: string): FileKind {
  if (path === PIPELINE || path === FORMER_PIPELINE) return 'pipeline'
  if (path === `${PIPELINE}.json`) return 'pipeline-sidecar'
  if (path === IMPORT_FILE) return 'import'
  if (path === '.lock') return 'lock'
  if (path.startsWith('checkpoint/')) return 'checkpoint'
  if (!BUFFER.test(path)) return 'other'
  return path.endsWith('.json') ? 'sidecar' : 'buffer'
}

/** Which buffer a file is, or is the JSON form of; undefined for other files. */
export function placeOf(path: string): BufferPlace | undefined {
  const [, component, alias, buffer] = BUFFER.exec(path) ?? []
  return component && alias && buffer ? { component, alias, buffer } : undefined
}

export function pathOf({ component, alias, buffer }: BufferPlace): string {
  return `variables/data/${component}/${alias}/${buffer}`
}

/** Whether files are laid out as FATE 1.5 to 1.8 does. */
export function isFormerLayout(paths: readonly string[]): boolean {
  return paths.some((path) => path === FORMER_PIPELINE || path.startsWith('define/proto/'))
}
