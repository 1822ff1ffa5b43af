import type { Device } from '../config/extraction-schema.ts'
import type { DeclaredModel } from '../config/models.ts'
import type { Entry } from '../domain/batch.ts'
import type { Content } from '../domain/content.ts'
import { findLeastCosine } from '../domain/device-parity.ts'
import { LongshoreError } from '../domain/errors.ts'
import { type EmbeddingServer, EmbedError } from '../ports/embedding-server.ts'
import type { Context } from './context.ts'
import { raiseRemote } from './embed-contents-end.ts'
import { runDevice, servingDevice } from './run-device.ts'

/** How alike two devices embed: the least cosine of `contents` that both embedded. */
export type Parity = {
  readonly device: Device
  readonly usual: Device
  readonly contents: number
  readonly leastCosine: number
}

type Asked = {
  readonly declared: DeclaredModel
  readonly device: Device
  readonly source: AsyncIterable<Entry>
}

/** Contents that both devices embed. */
const SAMPLED = 32

/**
 * Measures, before a run embeds on another device than queries are embedded on, how alike both embed the first of its contents;
 * undefined where there is nothing to mix. Raises `gate` beyond the limit of the profile, and `remote`.
 */
export async function checkParity(context: Context, asked: Asked): Promise<Parity | undefined> {
  const { declared, device, source } = asked
  const { model, extraction } = declared
  if (extraction.onnx === undefined) return undefined
  const own = await runDevice(context, declared, device)
  const usual = servingDevice(context.profile.engine, extraction)
  if (own === usual) return undefined
  const sample = await readFirst(source, SAMPLED)
  if (sample.length === 0) return undefined
  const cosines = await compare(context, { declared, devices: [device, usual], sample })
  if (cosines.length === 0) {
    context.reporter.note(
      `${model.name}: no content of ${sample.length} says how alike ${own} and ${usual} embed`,
    )
    return undefined
  }
  const parity = { device: own, usual, contents: cosines.length, leastCosine: Math.min(...cosines) }
  return judge(context, declared, parity)
}

function judge({ profile, reporter }: Context, { model }: DeclaredModel, parity: Parity): Parity {
  const { device, usual, contents, leastCosine } = parity
  const limit = profile.gates.parity
  const what = `${model.name}: on ${device} and on ${usual}, ${contents} contents have a cosine of at least ${leastCosine.toFixed(6)}`
  if (leastCosine >= limit) {
    reporter.note(what)
    return parity
  }
  throw new LongshoreError('gate', `${what}, expected ${limit}: nothing was embedded`, {
    hint: `--device ${usual} embeds where queries are embedded; gates.parity in the profile is the limit`,
    answer: { parity },
  })
}

type Comparison = {
  readonly declared: DeclaredModel
  readonly devices: readonly [Device, Device]
  readonly sample: readonly Content[]
}

/** The cosine of each content that both servers embed; one that a model refuses says nothing of devices. */
async function compare(
  { openServer, signal }: Context,
  { declared, devices, sample }: Comparison,
): Promise<number[]> {
  const [one, other] = await Promise.all(devices.map((device) => openServer(declared, device)))
  const cosines: number[] = []
  try {
    for (const content of sample) {
      const rows = await Promise.all([embedOne(one!, content, signal), embedOne(other!, content, signal)])
      if (rows[0] && rows[1]) cosines.push(findLeastCosine(rows[0], rows[1], declared.model.dimensions))
    }
  } finally {
    await Promise.all([one!.close(), other!.close()])
  }
  return cosines
}

async function embedOne(
  server: EmbeddingServer,
  content: Content,
  signal: AbortSignal,
): Promise<Float32Array | undefined> {
  try {
    return (await server.embed([content], signal)).vectors
  } catch (error) {
    if (error instanceof EmbedError && error.fault === 'split') return undefined
    return raiseRemote(error)
  }
}

async function readFirst(source: AsyncIterable<Entry>, most: number): Promise<Content[]> {
  const contents: Content[] = []
  for await (const { content } of source) {
    contents.push(content)
    if (contents.length === most) break
  }
  return contents
}
