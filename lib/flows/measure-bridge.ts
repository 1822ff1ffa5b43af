import type { Device } from '../config/extraction-schema.ts'
import type { DeclaredModel } from '../config/models.ts'
import type { Manifest } from '../domain/manifest.ts'
import { createRandom, shuffle } from '../domain/random.ts'
import type { Context } from './context.ts'
import { checkParity } from './device-parity.ts'
import { embedMissing } from './embed-missing.ts'
import { type FittedBridge, fitSample } from './fit-bridge.ts'
import { createTally, findMissing, type Gallery, hashAt, hashBatches } from './gallery.ts'
import { openGallery } from './reembed-gallery.ts'
import { type Drawn, drawRows, galleryOf, type KnownRow, listKnown } from './sample-pairs.ts'

export type BridgeRequest = {
  readonly before: Manifest
  readonly declared: DeclaredModel
  readonly device: Device
  readonly files?: string | undefined
}

export type MeasuredBridge = FittedBridge & {
  /** Row-major [clusters, dimensions] of the former generation. */
  readonly centroids: Float32Array
  /** Whether anything was left to embed before. */
  readonly hasRest: boolean
}

const LEAST_PAIRS = 2_000
const PAIRS_A_DIMENSION = 4

/**
 * Fits a map from a model to that of a generation on items that both have embedded, and measures what it keeps of the ten
 * nearest on others. What is embedded for it stays in the ledger. Raises `usage` for a gallery of too few items, and what embedding raises.
 */
export async function measureBridge(context: Context, request: BridgeRequest): Promise<MeasuredBridge> {
  const { before, declared, files } = request
  const gallery = await openGallery(context, { from: before.generation, files })
  const ledger = await context.ledgers.open(declared.model)
  const { signal } = context
  try {
    const { input, listRows } = drawRows(gallery.input, countWanted(request))
    const hasRest = await hasMissing({ ...gallery, input }, ledger, signal)
    const drawn = { rows: listRows(), gallery }
    await embedDrawn(context, { ...request, drawn, ledger })
    const rows = shuffle(dropRepeated(await listKnown(drawn, ledger, signal)), createRandom(1))
    const from = new Float32Array(rows.length * declared.model.dimensions)
    await ledger.read(Buffer.concat(rows.map(({ hash }) => hash)), from)
    const centroids = gallery.input.clusters!.centroids
    return { ...(await fitSample(context, request, { rows, from })), centroids, hasRest }
  } finally {
    await ledger.close()
  }
}

function countWanted({ before, declared }: BridgeRequest): number {
  const dimensions = Math.max(before.model.dimensions, declared.model.dimensions)
  return Math.max(LEAST_PAIRS, PAIRS_A_DIMENSION * dimensions)
}

type LedgerOf = Awaited<ReturnType<Context['ledgers']['open']>>

/** Reads all of a gallery, as whoever draws from it needs. */
async function hasMissing(gallery: Gallery, ledger: LedgerOf, signal: AbortSignal): Promise<boolean> {
  let isMissing = false
  for await (const { batch, hashes, problems } of hashBatches(gallery, signal)) {
    for (let index = 0; index < batch.items.length && !isMissing; index++) {
      isMissing = !problems.has(index) && ledger.find(hashAt(hashes, index)) === undefined
    }
  }
  return isMissing
}

async function embedDrawn(
  context: Context,
  { declared, device, drawn, ledger }: BridgeRequest & { readonly drawn: Drawn; readonly ledger: LedgerOf },
): Promise<void> {
  const gallery = galleryOf(drawn)
  const source = findMissing(gallery, ledger, { tally: createTally(), signal: context.signal })
  await checkParity(context, { declared, device, source })
  await embedMissing(context, { declared, gallery, ledger, tally: createTally() }, device)
}

/** Contents once: what a map was fitted to must not judge it. */
function dropRepeated(rows: readonly KnownRow[]): KnownRow[] {
  const seen = new Set<string>()
  return rows.filter(({ hash }) => {
    const key = Buffer.from(hash).toString('latin1')
    const isNew = !seen.has(key)
    seen.add(key)
    return isNew
  })
}
