import type { Device } from '../config/extraction-schema.ts'
import type { DeclaredModel } from '../config/models.ts'
import type { Profile } from '../config/schema.ts'
import { LongshoreError } from '../domain/errors.ts'
import type { Context } from './context.ts'

type Place = Pick<Context, 'workplace' | 'signal'>

/** The device that queries are embedded on. A Swarm gives a GPU to those services alone that ask for one. */
export function servingDevice(engine: Profile['engine'], { device }: { readonly device: Device }): Device {
  return device === 'auto' && engine === 'swarm' ? 'cpu' : device
}

/**
 * The device that a run embeds on: what the operator asks for, else the profile; of `auto` in a Swarm a GPU where a node offers
 * one. Raises `usage` where a GPU is asked for and no node offers one.
 */
export async function runDevice(
  { workplace, signal }: Place,
  { model, extraction }: DeclaredModel,
  asked: Device,
): Promise<Device> {
  const device = asked === 'auto' ? extraction.device : asked
  if (!workplace || extraction.onnx === undefined || device === 'cpu') return device
  if ((await workplace.countGpus(signal)) > 0) return 'gpu'
  if (device === 'auto') return 'cpu'
  throw new LongshoreError('usage', `${model.name}: no node of the Swarm offers a GPU`, {
    hint: 'node-generic-resources: ["gpu=GPU-..."] in /etc/docker/daemon.json of a node offers one; doctor.mjs tells more',
  })
}
