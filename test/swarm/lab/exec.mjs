import { parseArgs } from 'node:util'
import { findArguments } from '../../../lib/cli/arguments.ts'
import { DEFAULT_STATE, openLab } from './lab.ts'

const { values, positionals } = parseArgs({
  args: [...findArguments(process.argv, 'exec')],
  allowPositionals: true,
  options: { state: { type: 'string', default: DEFAULT_STATE } },
})
const [node, ...argv] = positionals
if (!node || argv.length === 0) throw new Error('usage: exec.mjs [--state DIR] NODE -- PROGRAM [ARGUMENT...]')

console.log(await (await openLab(values.state)).exec(node, argv))
