import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bridge, crossBridge } from '../../domain/bridge.ts'
import { LongshoreError } from '../../domain/errors.ts'
import type { Model } from '../../domain/model.ts'
import type { GateContext } from '../../ports/generation-store.ts'
import { parseNpyHeader, renderNpyHeader } from '../files/npy.ts'

/** bridge.npy as bytes: a map into `dimensions`. */
export function renderBridgeMap(map: Float32Array, dimensions: number): Uint8Array {
  const header = renderNpyHeader('<f4', [map.length / dimensions, dimensions])
  return Buffer.concat([header, new Uint8Array(map.buffer, map.byteOffset, map.byteLength)])
}

/**
 * What the gates of a generation with a bridge are measured by: texts are embedded as queries will be, and led into its space.
 * Raises `corrupt` for a map of another shape or type.
 */
export async function crossGates(
  directory: string,
  { model, bridge }: { readonly model: Model; readonly bridge: Bridge },
  context: GateContext,
): Promise<GateContext> {
  const map = await readBridgeMap(join(directory, bridge.map), [bridge.model.dimensions, model.dimensions])
  const { embedder } = context
  return {
    ...context,
    model,
    embedder: embedder && {
      embed: async (texts, signal) => crossBridge(map, await embedder.embed(texts, signal), model),
    },
  }
}

async function readBridgeMap(path: string, expected: readonly [number, number]): Promise<Float32Array> {
  const bytes = await readFile(path)
  const { descr, shape, dataOffset, fortranOrder } = parseNpyHeader(bytes, path)
  const length = 4 * expected[0] * expected[1]
  const fits = shape.join() === expected.join() && bytes.length === dataOffset + length
  if (descr === '<f4' && !fortranOrder && fits)
    return new Float32Array(Uint8Array.from(bytes.subarray(dataOffset)).buffer)
  throw new LongshoreError(
    'corrupt',
    `${path}: holds ${descr} of shape (${shape.join(', ')}), expected <f4 of (${expected.join(', ')})`,
  )
}
