import type { PreparedRows } from '../../ports/generation-writer.ts'
import { createRowSorter, type RowSorter, type SortOptions } from './row-sorter.ts'
import { answerCalls } from './thread.ts'

let sorter: RowSorter

const handlers = {
  begin(options: SortOptions) {
    sorter = createRowSorter(options)
  },
  append: (rows: PreparedRows) => sorter.append(rows),
  finish: () => sorter.finish(),
  close: () => sorter.close(),
}
export type WriteHandlers = typeof handlers

answerCalls(handlers)
