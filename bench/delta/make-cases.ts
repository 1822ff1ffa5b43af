import { createRandom, sampleNumbers } from '../../lib/domain/random.ts'
import { type SeededRow, seedRows } from './row-generation.ts'

type Clusters = readonly (readonly SeededRow[])[]

/** Numbers of rows that are new start here. */
const NEW = 10_000_000

/** The base of all cases: rows in the order of their numbers. */
export function makeBase(clusters: number, rows: number): Clusters {
  return Array.from({ length: clusters }, (_, cluster) =>
    seedRows(Array.from({ length: rows }, (_, row) => cluster * rows + row)),
  )
}

/** What becomes of a base: by the name of the case. */
export const CASES = {
  identical: (base: Clusters) => base,
  changed1: (base: Clusters) => changeRows(base, 0.01),
  changed5: (base: Clusters) => changeRows(base, 0.05),
  inserted5: insertRows,
  reclustered: reclusterRows,
  new: (base: Clusters) =>
    base.map((rows) => rows.map(({ line }) => ({ vector: NEW + line, line: NEW + line }))),
} satisfies Readonly<Record<string, (base: Clusters) => Clusters>>

/** Embedding and line of a share of the rows are others. */
function changeRows(base: Clusters, share: number): Clusters {
  const random = createRandom(7)
  return base.map((rows) => {
    const chosen = new Set(sampleNumbers(rows.length, Math.round(rows.length * share), random))
    return rows.map((row, index) =>
      chosen.has(index) ? { vector: NEW + row.vector, line: NEW + row.line } : row,
    )
  })
}

/** A twentieth of the rows goes, as many come elsewhere. */
function insertRows(base: Clusters): Clusters {
  const random = createRandom(8)
  return base.map((rows) =>
    rows.flatMap((row) => {
      const lot = random()
      if (lot < 0.05) return []
      return lot < 0.1 ? [row, ...seedRows([NEW + row.line])] : [row]
    }),
  )
}

/** As many clusters, of other rows: each row goes anywhere, those of a cluster keep their order. */
function reclusterRows(base: Clusters): Clusters {
  const random = createRandom(9)
  const clusters: SeededRow[][] = base.map(() => [])
  for (const row of base.flat()) clusters[Math.floor(random() * clusters.length)]!.push(row)
  return clusters
}
