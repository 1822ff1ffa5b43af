import { parseArgs } from 'node:util'
import { findArguments } from '../../../lib/cli/arguments.ts'
import { DEFAULT_STATE, stopLab } from './lab.ts'

const { values } = parseArgs({
  args: [...findArguments(process.argv, 'down')],
  options: { state: { type: 'string', default: DEFAULT_STATE } },
})

await stopLab(values.state)
