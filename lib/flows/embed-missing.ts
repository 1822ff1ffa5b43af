import type { Device } from '../config/extraction-schema.ts'
import type { DeclaredModel } from '../config/models.ts'
import { RateCurve, type RatePoint } from '../domain/rate-curve.ts'
import type { EmbeddingServer } from '../ports/embedding-server.ts'
import type { Ledger } from '../ports/ledger.ts'
import type { Context } from './context.ts'
import { embedContents } from './embed-contents.ts'
import type { EmbedCounts } from './embed-contents-counts.ts'
import { findMissing, type Gallery, type Tally } from './gallery.ts'

export type Embedding = {
  readonly declared: DeclaredModel
  readonly gallery: Gallery
  readonly ledger: Ledger
  readonly tally: Tally
}

/** What embedding took, and where it was computed. */
export type EmbedWork = {
  readonly counts: Readonly<EmbedCounts>
  readonly rate: readonly RatePoint[]
  /** As the server tells it, or the server's address where it does not. */
  readonly device: string
}

/** Embeds what the ledger lacks of a gallery. Raises what embedContents raises. */
export async function embedMissing(
  context: Context,
  { declared, gallery, ledger, tally }: Embedding,
  device: Device,
): Promise<EmbedWork> {
  const { reporter, signal } = context
  const { server, readDevice } = listenForDevice(await context.openServer(declared, device))
  const task = `embed under ${declared.model.name}`
  const begun = context.now()
  const curve = new RateCurve()
  try {
    const counts = await embedContents({
      source: findMissing(gallery, ledger, { tally, signal }),
      ...{ server, ledger, signal, extraction: declared.extraction },
      onProgress: ({ items }) => {
        curve.add({ ms: context.now() - begun, items })
        reporter.progress({ task, done: tally.items, total: gallery.input.rows, unit: 'rows' })
      },
    })
    return { counts, rate: curve.list(), device: readDevice() ?? nameServer(declared) }
  } finally {
    await server.close()
  }
}

/** A server as it is, that remembers the device which it describes. */
function listenForDevice(server: EmbeddingServer) {
  let device: string | undefined
  const heard: EmbeddingServer = {
    findProblem: (signal) => server.findProblem(signal),
    async describe(signal) {
      const description = await server.describe(signal)
      device = description.device
      return description
    },
    embed: (contents, signal) => server.embed(contents, signal),
    close: () => server.close(),
  }
  return { server: heard, readDevice: () => device }
}

/** Without user and password, which an address may hold. */
function nameServer({ extraction: { url, device } }: DeclaredModel): string {
  return url === undefined ? `device ${device}` : new URL(url).origin
}
