import { DEVICES, type Device } from '../config/extraction-schema.ts'
import { LongshoreError } from '../domain/errors.ts'
import type { Flags } from './arguments.ts'

/** Flags of the commands that embed items under another model. */
export const EMBED_FLAGS = {
  model: { type: 'string', value: 'NAME', description: 'a model of the profile, as NAME or NAME@VERSION' },
  device: {
    type: 'string',
    value: 'DEVICE',
    description: 'gpu, cpu or auto: where our own extraction computes',
  },
  files: { type: 'string', value: 'DIRECTORY', description: 'where the files of items lie' },
  'retry-dead': { type: 'boolean', description: 'try again what the model refused before' },
} as const satisfies Flags

/** The device that an operator names; `auto` where none is named. Raises `usage`. */
export function chooseDevice(asked: string | undefined): Device {
  const device = DEVICES.find((one) => one === (asked ?? 'auto'))
  if (device) return device
  throw new LongshoreError('usage', `--device ${asked}: expected ${DEVICES.join(', ')}`)
}
