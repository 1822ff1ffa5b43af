import { command } from '../lib/cli/command.ts'
import { doctor } from '../lib/flows/doctor.ts'

await command({
  name: 'doctor',
  summary: 'Finds beforehand what would make an update fail. Changes nothing.',
  positionals: { max: 0, names: [] },
  flags: {},
  run: (context) => doctor(context),
})
