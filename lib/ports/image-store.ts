import type { Model } from '../domain/model.ts'

/** What an image is built on: an image that has Node.js and npm, or the Node.js and the packages of this machine. */
export type ImageSource = { readonly kind: 'base'; readonly image: string } | { readonly kind: 'machine' }

/** An image of the services, and the files of a model that are to be in it: `root` is their directory, or a repository. */
export type ModelSource = {
  readonly kind: 'model'
  readonly image: string
  readonly root: string
  readonly model: Pick<Model, 'name' | 'version'>
}

/** Makes the image of the services, and keeps images. All but `identify` raise `remote` when the engine fails. */
export interface ImageStore {
  /** The name of the image of the files as they are now, `longshore:<12 hex digits>`: the same content, the same name. */
  identify(source: ImageSource): Promise<string>
  has(name: string, signal: AbortSignal): Promise<boolean>
  /** Builds the image under this name. Raises `usage` for a source that this machine does not have, `not-found` for such a model. */
  build(name: string, source: ImageSource | ModelSource, signal: AbortSignal): Promise<void>
  /** The image as an archive, as `docker load` takes it. */
  read(name: string, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Puts the image into a registry under another name. */
  push(name: string, as: string, signal: AbortSignal): Promise<void>
}
