import { DEVICES, type Device } from '../config/extraction-schema.ts'
import { LongshoreError } from '../domain/errors.ts'

/** The device that an operator names; `auto` where none is named. Raises `usage`. */
export function chooseDevice(asked: string | undefined): Device {
  const device = DEVICES.find((one) => one === (asked ?? 'auto'))
  if (device) return device
  throw new LongshoreError('usage', `--device ${asked}: expected ${DEVICES.join(', ')}`)
}
