import { cpSync, linkSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createGenerationStore } from '../../lib/adapters/generations/store.ts'
import { makePatchBeside } from '../../lib/adapters/relay/make-patch-beside.ts'
import { MANIFEST_FILE, type Manifest, refOf } from '../../lib/domain/manifest.ts'
import type { Route } from '../../lib/domain/route.ts'
import { startRelaySystem } from '../../test/adapters/relay/relay-system.ts'
import { listChildren, readPeak } from './peak-memory.ts'

export type Delivered = {
  /** The most memory that a relay has had, in bytes. */
  readonly relayMemory: number
  readonly savedBytes: number
}

/** As config/reference.yml has it. */
const PIECE_BYTES = 256 * 1024
const OPERATION_TIMEOUT_MS = 600_000
const LOOK_EVERY_MS = 100

/**
 * Delivers a generation from this process to a node of this machine, whose relay is another process: what differs from
 * the base, which the node holds, or whole.
 */
export async function deliverAlone(options: {
  readonly directory: string
  readonly manifest: Manifest
  readonly baseDirectory: string
  readonly baseManifest: Manifest
  readonly isWhole: boolean
}): Promise<Delivered> {
  const { directory, manifest, baseDirectory, baseManifest, isWhole } = options
  const root = join(dirname(directory), 'nodes')
  linkGeneration(baseDirectory, baseManifest, join(root, 'n1', baseManifest.generation))
  const { transport, deliver } = startRelaySystem({
    root,
    generations: createGenerationStore(dirname(baseDirectory)),
    makePatch: makePatchBeside,
    pieceBytes: PIECE_BYTES,
    operationTimeoutMs: OPERATION_TIMEOUT_MS,
    stallMs: OPERATION_TIMEOUT_MS,
  })
  let relayMemory = 0
  const timer = setInterval(() => {
    relayMemory = Math.max(relayMemory, ...listChildren().map(readPeak))
  }, LOOK_EVERY_MS)
  try {
    const route: Route = { via: 'relay', ...(!isWhole && { base: refOf(baseManifest) }) }
    const { result, told } = (await deliver(['n1'], { directory, manifest }, { route })).get('n1')!
    if (result.status === 'rejected') throw result.reason
    return { relayMemory, savedBytes: told.saved }
  } finally {
    clearInterval(timer)
    await transport.close()
    rmSync(root, { recursive: true, force: true })
  }
}

function linkGeneration(from: string, { files }: Manifest, to: string): void {
  for (const { path } of files) {
    mkdirSync(dirname(join(to, path)), { recursive: true })
    linkSync(join(from, path), join(to, path))
  }
  cpSync(join(from, MANIFEST_FILE), join(to, MANIFEST_FILE))
}
