import { setTimeout as wait } from 'node:timers/promises'
import { command } from '../../lib/cli/command.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'

/** @type {Record<string, (context: import('../../lib/flows/context.ts').Context) => unknown>} */
const DEEDS = {
  succeed: ({ reporter }) => reporter.note('all is well'),
  refuse() {
    throw new LongshoreError('gate', 'self-routing is 0.06', {
      hint: 'repair it',
      answer: { generation: 'dg_1' },
    })
  },
  break() {
    throw new TypeError('out of order')
  },
  breakLater() {
    setTimeout(() => {
      throw new TypeError('out of order, later')
    })
    return wait(60_000)
  },
  hang: () => new Promise(() => undefined),
  wait: ({ reporter, signal }) => {
    reporter.note('waiting')
    return wait(60_000, undefined, { signal })
  },
  ignoreInterrupts({ reporter, signal }) {
    signal.addEventListener('abort', () => reporter.note('still waiting'))
    reporter.note('waiting')
    return wait(60_000)
  },
  rest: () => 'nothing-to-do',
  leaveHandles: () => void setInterval(() => undefined, 1000),
  confirm: (context) => context.confirm({ steps: [] }),
}

await command(
  {
    name: 'probe',
    summary: 'Does what a test asks for.',
    positionals: { min: 1, max: 1, names: ['deed'] },
    flags: { lines: { type: 'string', value: 'N', description: 'lines of the answer' } },
    examples: [['scripts/probe.mjs succeed', 'succeeds']],
    async run(context, { positionals, flags, print }) {
      const deed = await DEEDS[positionals[0] ?? '']?.(context)
      if (deed === 'nothing-to-do') return { outcome: deed, text: 'it is done already', json: {} }
      print('so far, so good\n')
      const text = Array.from({ length: Number(flags.lines ?? 1) }, (_, line) => `line ${line}`).join('\n')
      return { outcome: 'done', text, json: { generation: 'dg_2' } }
    },
  },
  {
    createContext: async (settings) => ({
      context: /** @type {any} */ (settings),
      close: async () => undefined,
    }),
  },
)
