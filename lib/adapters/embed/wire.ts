import type { Content } from '../../domain/content.ts'
import { EmbedError, type EmbedFault, type ServerDescription } from '../../ports/embedding-server.ts'
import type { HttpAnswer } from '../http/client.ts'

/** What a wire is made for. */
export type WireSettings = {
  /** The model's name at the server. */
  readonly model: string
  readonly dimensions: number
  readonly normalized: boolean
  /** How TensorFlow Serving is asked: all values of an input together, or one object for each content. */
  readonly form?: 'inputs' | 'instances' | undefined
  /** Names of the tensors, where the server has several. */
  readonly input?: string | undefined
  readonly output?: string | undefined
}

/** A request for the embeddings of some contents, relative to the address of a server. */
export type WireRequest = {
  readonly path: string
  readonly body: string | Uint8Array
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Each content as it stands in the request, for protocols whose answers name it so. */
  readonly sent?: readonly string[]
}

/** An answer with another status than 200. */
export type Refusal = {
  readonly status: number
  readonly headers: HttpAnswer['headers']
  /** What the server says of it, in its own words. */
  readonly message: string
  /** Its body, where that is JSON. */
  readonly json: unknown
}

/** How many embeddings of which length an answer must hold. */
export type Shape = {
  readonly count: number
  readonly dimensions: number
  readonly sent?: readonly string[] | undefined
}

export type Get = (path: string) => Promise<HttpAnswer>

/** A protocol: how a batch is written, an answer read, and a refusal understood. Holds no state, sends nothing. */
export type Wire = {
  /** Raises EmbedError `split` for a kind of content that the protocol has not. */
  write(contents: readonly Content[]): WireRequest
  /** Row-major [count, dimensions], not yet known to be finite. Raises WrongAnswerError. */
  read(answer: HttpAnswer, shape: Shape): Float32Array
  /** Tokens that the server counted, where the protocol tells. */
  countTokens?(answer: HttpAnswer): number | undefined
  judge(refusal: Refusal): EmbedFault
  /** Why the model cannot be asked; undefined where it can. */
  findProblem(get: Get): Promise<string | undefined>
  describe?(get: Get): Promise<ServerDescription>
  /** The same wire once it knows what only the server knows; asked for before the first batch. Raises EmbedError. */
  learn?(get: Get): Promise<Wire>
}

/** A server answered, but not with embeddings of this model for these contents. */
export class WrongAnswerError extends EmbedError {}

/** An answer that fits the protocol, with values that fit neither the contents nor the model: one of them may be the cause. */
export function wrongValues(message: string): WrongAnswerError {
  return new WrongAnswerError('split', message)
}

/** An answer that is none of the protocol: what is asked there may be no server of this kind, or a broken proxy. */
export function noAnswer(message: string, cause?: unknown): WrongAnswerError {
  return new WrongAnswerError('transient', message, { cause })
}

/** The path of a model that may be named with its version or label: `use/versions/3`, `use/labels/stable`. */
export function renderModelPath(model: string): string {
  const [, name = model, suffix = ''] = /^(.+?)(\/(?:versions|labels)\/[^/]+)$/.exec(model) ?? []
  return encodeURIComponent(name) + suffix
}

/** An image as text, where a protocol has no bytes. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}
