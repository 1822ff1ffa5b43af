#!/usr/bin/env zx
import { command } from '../lib/cli/command.ts'
import { createTour, refuseForeignReleases } from '../lib/cli/tour.ts'

const STEADY = 'Why is sea water salty?'
const CHANGED = 'Which animals live in a tide pool?'

await command({
  name: 'start',
  summary: 'The guided first run: splits the sample, serves it, updates it, rolls it back.',
  description: 'Runs real commands and shows each one. Running it again is harmless.',
  positionals: { max: 0, names: [] },
  flags: {},
  async run({ state, signal }, { profileFile, print }) {
    const record = await state.read()
    refuseForeignReleases(record.releases, ['dg_1', 'dg_2'])
    const tour = createTour({ profileFile, signal, print })

    tour.say('1. Five thousand questions become a generation, gated before anything serves it.')
    await tour.run('split-index', 'data/sample/questions-v1.jsonl', '--generation', 'dg_1')

    tour.say('2. It is delivered to both nodes, checked there, and put in service.')
    await tour.run('update-indices', 'dg_1', '--yes')
    const { gateway } = await tour.read('status')
    const { url } = /** @type {{ url: string }} */ (gateway)
    await tour.ask(url, STEADY)
    const before = await tour.ask(url, CHANGED)

    tour.say('3. The second version goes in service beside the first; no query fails while it does.')
    await tour.run('split-index', 'data/sample/questions-v2.jsonl', '--generation', 'dg_2')
    const lift = record.frozen ? ['--force'] : []
    if (lift.length > 0) tour.say('The last rollback froze dg_2; --force lifts that.')
    await tour.run('update-indices', 'dg_2', '--yes', ...lift)
    const after = await tour.ask(url, CHANGED)

    tour.say('4. Second thoughts: one command serves the former generation again.')
    await tour.run('rollback', '--yes')
    await tour.run('status')
    return {
      outcome: 'done',
      text: `
It keeps running. Ask it:
  curl ${url}/v1/search -H 'content-type: application/json' -d '{"query": "${STEADY}"}'
Look at it:            ${url}/console/
Split your own files:  npx zx scripts/split-index.mjs <input>     (formats: docs/formats.md)
Stop everything:       npx zx scripts/down.mjs
`,
      json: { gateway: { url }, answers: { before: before[0] ?? null, after: after[0] ?? null } },
    }
  },
})
