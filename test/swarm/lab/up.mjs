import { parseArgs } from 'node:util'
import { findArguments } from '../../../lib/cli/arguments.ts'
import { DEFAULT_STATE, startLab } from './lab.ts'

const { values } = parseArgs({
  args: [...findArguments(process.argv, 'up')],
  options: {
    nodes: { type: 'string', default: '3' },
    managers: { type: 'string', default: '1' },
    state: { type: 'string', default: DEFAULT_STATE },
    'disk-megabytes': { type: 'string', default: '2048' },
  },
})

const { nodes, state, sshConfig } = await startLab({
  nodes: Number(values.nodes),
  managers: Number(values.managers),
  state: values.state,
  diskMegabytes: Number(values['disk-megabytes']),
})
console.log(`${nodes.length} nodes are ready; ssh -F ${sshConfig} n1; facts in ${state}/lab.json`)
