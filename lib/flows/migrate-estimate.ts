import type { Extraction } from '../config/extraction-schema.ts'
import type { Entry } from '../domain/batch.ts'
import { CONTENT_HASH_BYTES, countContentBytes } from '../domain/content.ts'
import { countBytes, countItems, type Manifest } from '../domain/manifest.ts'
import { createRandom } from '../domain/random.ts'
import type { Answer, Context } from './context.ts'
import { findDeclaredModel } from './declared-models.ts'
import { checkParity } from './device-parity.ts'
import { embedContents } from './embed-contents.ts'
import type { EmbedCounts } from './embed-contents-counts.ts'
import { createTally, findMissing } from './gallery.ts'
import type { MigrateRequest } from './migrate.ts'
import { openGallery } from './reembed-gallery.ts'

/** Contents that are embedded to see how long it takes. */
const SAMPLED = 64
const KEY_BYTES = CONTENT_HASH_BYTES + 8

/** What is left to embed, with some of it drawn at random. */
type Rest = { contents: number; bytes: number; readonly sample: Entry[] }

/**
 * What a migration would take: a sample of what is missing is really embedded, and kept, so that nothing is paid for twice.
 * Changes nothing else.
 */
export async function estimateMigration(
  context: Context,
  request: MigrateRequest & { readonly before: Manifest },
): Promise<Answer> {
  const { before, device } = request
  const declared = findDeclaredModel(context.profile, request.model)
  const gallery = await openGallery(context, { ...request, from: before.generation })
  const ledger = await context.ledgers.open(declared.model)
  const { signal } = context
  try {
    const tally = createTally()
    const rest = await readRest(findMissing(gallery, ledger, { tally, signal }))
    await checkParity(context, { declared, device, source: listEntries(rest.sample) })
    const server = await context.openServer(declared, device)
    try {
      const source = listEntries(rest.sample)
      const { extraction } = declared
      const counts = await embedContents({ source, server, ledger, signal, extraction })
      return answer(before, {
        rest,
        counts,
        extraction,
        dimensions: declared.model.dimensions,
        items: tally.items,
      })
    } finally {
      await server.close()
    }
  } finally {
    await ledger.close()
  }
}

/** Counts contents, and draws some of them, each with the same chance (Vitter 1985, algorithm R). */
async function readRest(missing: AsyncIterable<Entry>): Promise<Rest> {
  const random = createRandom(SAMPLED)
  const rest: Rest = { contents: 0, bytes: 0, sample: [] }
  for await (const entry of missing) {
    const place = rest.contents < SAMPLED ? rest.contents : Math.floor(random() * (rest.contents + 1))
    if (place < SAMPLED) rest.sample[place] = entry
    rest.contents++
    rest.bytes += countContentBytes(entry.content)
  }
  return rest
}

async function* listEntries(entries: readonly Entry[]): AsyncGenerator<Entry> {
  yield* entries
}

type Sampled = {
  readonly rest: Rest
  readonly counts: EmbedCounts
  readonly extraction: Extraction
  readonly dimensions: number
  readonly items: number
}

function answer(before: Manifest, { rest, counts, extraction, dimensions, items }: Sampled): Answer {
  const share = counts.items === 0 ? 0 : rest.contents / counts.items
  const seconds = (share * counts.tookMs) / 1000
  const tokens = Math.round(share * counts.tokens)
  const diskBytes =
    rest.contents * (KEY_BYTES + 4 * dimensions) +
    countBytes(before) +
    Math.max(0, countBytes(before) + 4 * countItems(before) * (dimensions - before.model.dimensions))
  const { perHour = 0, perMillionTokens = 0, currency } = extraction.price
  const cost = (perHour * seconds) / 3600 + (perMillionTokens * tokens) / 1e6
  const hasPrice = perHour > 0 || perMillionTokens > 0
  const parts = [
    `${rest.contents} of ${items} items are to be embedded, ${rest.bytes} bytes${tokens > 0 ? `, about ${tokens} tokens` : ''}`,
    `about ${Math.ceil(seconds)} s at the rate of ${counts.items} sampled ones, which are kept`,
    `${diskBytes} bytes of disk: ledger, backup and generation`,
    ...(hasPrice ? [`about ${cost.toFixed(2)} ${currency}`] : []),
  ]
  const estimate = {
    items,
    contents: rest.contents,
    bytes: rest.bytes,
    tokens,
    seconds,
    diskBytes,
    sampled: counts.items,
  }
  return {
    outcome: 'done',
    text: parts.join('\n'),
    json: { former: before.generation, estimate: { ...estimate, ...(hasPrice && { cost, currency }) } },
  }
}
