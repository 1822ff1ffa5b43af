import { LongshoreError } from '../domain/errors.ts'
import type { GenerationDraft } from '../ports/generation-writer.ts'
import type { ExpectedPair, Input } from '../ports/input.ts'
import type { Context } from './context.ts'
import { Preparer } from './split-prepare.ts'

/** Writes every row of an input to a draft, and resolves to their number, rejected ones included. */
export async function writeRows(
  { profile, reporter, signal }: Context,
  input: Input,
  draft: GenerationDraft,
  pairs: readonly ExpectedPair[],
): Promise<number> {
  const wanted = new Set(pairs.map(({ id }) => id))
  const preparer = new Preparer({
    dimensions: profile.model.dimensions,
    merge: profile.split.duplicates === 'merge',
    wanted,
    expectedRows: input.rows ?? 0,
  })
  let rows = 0
  for await (const batch of input.read(signal)) {
    signal.throwIfAborted()
    await draft.append(preparer.prepare(batch))
    rows += batch.items.length + batch.rejects.length
    reporter.progress({ task: 'split', done: rows, total: input.rows, unit: 'rows' })
  }
  const unknown = pairs.find(({ id }) => wanted.has(id))
  if (!unknown) return rows
  throw new LongshoreError(
    'usage',
    `golden pairs, line ${unknown.line}: no item of the input has the id ${unknown.id}`,
    {
      hint: 'correct the file that split.goldenPairs of the profile names',
    },
  )
}
