export type TableOptions = {
  /** Numbers of the columns that are aligned to the right. */
  readonly right?: readonly number[]
  readonly head?: readonly string[]
}

const segmenter = new Intl.Segmenter()
const WIDE =
  /\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u
// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with one
const COLOUR = /\u001b\[[\d;]*m/g
// These are pictographs by Unicode, but terminals draw them one column wide.
const NARROW = /^[✔✖↔]$/u

/** Rows as aligned lines, two blanks between columns; colour codes take no width. Ends with a line feed. */
export function renderTable(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const lines = options.head ? [options.head, ...rows] : rows
  const columns = Math.max(0, ...lines.map((line) => line.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...lines.map((line) => measureWidth(line[column] ?? ''))),
  )
  return lines.map((line) => `${renderLine(line, widths, options.right ?? [])}\n`).join('')
}

/** Columns that a text takes in a terminal. */
export function measureWidth(text: string): number {
  let width = 0
  for (const { segment } of segmenter.segment(text.replaceAll(COLOUR, ''))) {
    width += WIDE.test(segment) && !NARROW.test(segment) ? 2 : 1
  }
  return width
}

function renderLine(cells: readonly string[], widths: readonly number[], right: readonly number[]): string {
  const padded = cells.map((cell, column) => {
    const blanks = ' '.repeat((widths[column] ?? 0) - measureWidth(cell))
    return right.includes(column) ? blanks + cell : cell + blanks
  })
  return padded.join('  ').trimEnd()
}
