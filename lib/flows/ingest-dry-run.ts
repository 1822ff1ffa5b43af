import type { DeclaredModel } from '../config/models.ts'
import type { Input } from '../ports/input.ts'
import type { Answer, Context } from './context.ts'
import { sourceOf } from './ingest-message.ts'
import { listItems } from './split-items.ts'

export type DryRun = {
  readonly declared: readonly DeclaredModel[]
  readonly inputs: readonly Input[]
  readonly remove?: readonly string[] | undefined
  readonly index?: boolean | undefined
}

/** What there is to take in. Reads the sources and fetches, writes and embeds nothing. */
export async function tellDryRun(
  context: Context,
  { declared, inputs, remove = [], index }: DryRun,
): Promise<Answer> {
  const counts = { text: 0, file: 0, url: 0, lacking: 0, rejected: 0 }
  for (const input of inputs) {
    for await (const { items, rejects } of input.read(context.signal)) {
      counts.rejected += rejects.length
      for (const item of listItems(items)) counts[sourceOf(item) ?? 'lacking']++
    }
  }
  const models = declared.map(({ model }) => model.name)
  const parts = [
    `would send ${counts.text} texts, ${counts.file} files and ${counts.url} addresses through the queue, embed what is new ` +
      `of them under ${models.join(', ')}, and add them to the gallery ${context.ingestion.galleries.path}`,
    ...(counts.lacking + counts.rejected > 0
      ? [`${counts.lacking + counts.rejected} rows are no items`]
      : []),
    ...(remove.length > 0 ? [`would take out ${remove.length} ids`] : []),
    ...(index ? ['would make a generation of the gallery, gate it, and serve it'] : []),
  ]
  return { outcome: 'done', text: parts.join('\n'), json: { sources: counts, models, remove } }
}
