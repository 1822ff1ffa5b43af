import type { JsonCursor } from '../files/json-cursor.ts'

/**
 * Walks over `{"0": ["text", ...], "1": [...]}` and yields the cluster of each text, which is then in `cursor`.
 * Raises `corrupt` where the form is another one or a cluster is not among 0 to `count` - 1.
 */
export function* scanClusters(cursor: JsonCursor, count: number): Generator<number> {
  cursor.expect('{', 'an object of cluster -> list of texts')
  if (!cursor.take('}')) {
    do {
      const cluster = readCluster(cursor, count)
      cursor.expect('[', 'a list of texts')
      if (cursor.take(']')) continue
      do {
        cursor.readText()
        yield cluster
      } while (cursor.take(','))
      cursor.expect(']', '"," or "]"')
    } while (cursor.take(','))
    cursor.expect('}', '"," or "}"')
  }
  cursor.expectEnd()
}

function readCluster(cursor: JsonCursor, count: number): number {
  cursor.readText('the number of a cluster, in quotes')
  const key = cursor.text
  const cluster = /^\d{1,9}$/.test(key) ? Number(key) : -1
  if (cluster < 0 || cluster >= count) {
    cursor.fail(`cluster ${JSON.stringify(key)} has no centre: expected 0 to ${count - 1}`)
  }
  cursor.expect(':')
  return cluster
}
