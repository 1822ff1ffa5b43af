import { join } from 'node:path'
import { openInput } from '../../lib/adapters/inputs/open-input.ts'
import { readTextFile } from '../../lib/adapters/inputs/text-file.ts'
import { createReports } from '../../lib/adapters/reports/store.ts'
import type { Context } from '../../lib/flows/context.ts'
import { reembed } from '../../lib/flows/reembed.ts'
import { split } from '../../lib/flows/split.ts'
import { type Behave, createFakeServer, DIMENSIONS } from './embed-run.ts'
import { FakeLedger } from './fakes/ledger.ts'
import { makeInput, makeRows, makeSplitContext } from './split.ts'
import { makeTempDir } from './temp.ts'

/** The settings of `split` that these worlds begin with. */
export const SPLIT = 'clusters: 1, goldenQueries: 5'

export type FormerWorldOptions = {
  /** Of the profile; `clusters: 1, goldenQueries: 5` by default. */
  readonly split?: string
  readonly texts?: readonly string[]
  readonly behave?: Behave
}

/** An operator's machine with `dg_1` under the model `toy`, and a server that embeds texts under `lengths`. */
export async function makeFormerWorld({ split: settings = SPLIT, texts, behave }: FormerWorldOptions = {}) {
  const root = join(makeTempDir(), 'dgs')
  const rows = makeRows(texts?.length ?? 60)
  const items = rows.items.map((item, index) => ({ id: `${index}`, text: texts?.[index] ?? item.text! }))
  const { context, gates, notes } = makeSplitContext(
    root,
    makeInput({ ...rows, items }),
    `models:
  - { name: lengths, version: "1", dimensions: ${DIMENSIONS}, metric: l2, normalized: false }
split: { ${settings} }
gates: { duplicates: 1, rejects: 0.5, model: 0, selfRouting: 0, recall: 0 }
`,
  )
  await split(context, { path: 'rows' })
  const ledger = Object.assign(new FakeLedger(DIMENSIONS), { close: async () => undefined })
  const { server, calls } = createFakeServer(behave, { limits: { items: 8 }, device: 'here' })
  const whole = {
    ...context,
    inputs: { ...context.inputs, open: openInput, readText: readTextFile },
    reports: createReports(join(root, '..', 'reports')),
    ledgers: { open: async () => ledger },
    embedderOf: async () => null,
    openServer: async () => server,
  } as unknown as Context
  const run = (overrides: Partial<Context> = {}) =>
    reembed({ ...whole, ...overrides }, { model: 'lengths', device: 'auto', from: 'dg_1' })
  return { run, whole, ledger, calls, gates, notes, root, generations: context.generations }
}
