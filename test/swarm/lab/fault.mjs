import { parseArgs } from 'node:util'
import { findArguments } from '../../../lib/cli/arguments.ts'
import { DEFAULT_STATE, openLab } from './lab.ts'

const { values, positionals } = parseArgs({
  args: [...findArguments(process.argv, 'fault')],
  allowPositionals: true,
  options: {
    state: { type: 'string', default: DEFAULT_STATE },
    mbit: { type: 'string' },
    up: { type: 'string' },
    down: { type: 'string' },
    'delay-ms': { type: 'string' },
    'bytes-free': { type: 'string', default: '0' },
  },
})
const { fault } = await openLab(values.state)
const [verb = '', node = '', program] = positionals
const line = {
  ...(values.mbit !== undefined && { mbit: Number(values.mbit) }),
  ...(values.up !== undefined && { up: Number(values.up) }),
  ...(values.down !== undefined && { down: Number(values.down) }),
  ...(values['delay-ms'] !== undefined && { delayMs: Number(values['delay-ms']) }),
}

/** @type {Record<string, () => Promise<void>>} */
const VERBS = {
  cut: () => fault.cut(node),
  heal: () => fault.heal(node),
  shape: () => fault.shape(node, line),
  kill: () => fault.kill(node, readProgram()),
  stop: () => fault.stop(node, readProgram()),
  start: () => fault.start(node, readProgram()),
  'fill-disk': () => fault.fillDisk(node, Number(values['bytes-free'])),
  'free-disk': () => fault.freeDisk(node),
  freeze: () => fault.freeze(node),
  thaw: () => fault.thaw(node),
  'power-off': () => fault.powerOff(node),
  'power-on': () => fault.powerOn(node),
}
const inflict = VERBS[verb]
if (!inflict) throw new Error(`usage: fault.mjs ${Object.keys(VERBS).join('|')} NODE [dockerd|sshd]`)
await inflict()

function readProgram() {
  if (program !== 'dockerd' && program !== 'sshd')
    throw new Error(`usage: fault.mjs ${verb} NODE dockerd|sshd`)
  return program
}
