import type { DeclaredModel } from '../config/models.ts'
import type { EmbeddingServer } from '../ports/embedding-server.ts'
import type { Context } from './context.ts'
import { embedContents } from './embed-contents.ts'
import type { LaneModel } from './ingest-lane.ts'

type OpenLane = LaneModel & { close(): Promise<void> }

export type LaneOptions = {
  /** Whether what the model refused before is tried again. */
  readonly retryDead: boolean | undefined
}

/** What embeds under each model, with its ledger. */
export async function openLanes(
  context: Context,
  declared: readonly DeclaredModel[],
  options: LaneOptions,
): Promise<readonly OpenLane[]> {
  const lanes: OpenLane[] = []
  try {
    for (const one of declared) lanes.push(await openLane(context, one, options))
    return lanes
  } catch (error) {
    await closeLanes(lanes)
    throw error
  }
}

export async function closeLanes(lanes: readonly OpenLane[]): Promise<void> {
  for (const lane of lanes) await lane.close()
}

async function openLane(
  context: Context,
  declared: DeclaredModel,
  { retryDead }: LaneOptions,
): Promise<OpenLane> {
  const { model, extraction } = declared
  const ledger = await context.ingestion.ledgers.share(model)
  let server: EmbeddingServer | undefined
  if (retryDead) await ledger.exhume()
  return {
    name: model.name,
    ledger,
    async embed(run) {
      server ??= await context.openServer(declared, 'auto')
      return await embedContents({ ...run, server, extraction })
    },
    async close() {
      await server?.close()
      await ledger.close()
    },
  }
}
