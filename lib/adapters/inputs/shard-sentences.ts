import { FileWindow } from '../files/file-window.ts'
import { JsonCursor } from '../files/json-cursor.ts'

/**
 * The texts of sentences.json in their order: a list, or an object with the keys "0", "1", ... Raises `corrupt` where
 * the form is another one or a key is out of order.
 */
export function* readSentences(path: string): Generator<string> {
  const window = new FileWindow(path)
  try {
    const cursor = new JsonCursor(window)
    const isList = cursor.take('[')
    if (!isList) cursor.expect('{', 'an object or a list of texts')
    const end = isList ? ']' : '}'
    let row = 0
    if (!cursor.take(end)) {
      do {
        if (!isList) expectKey(cursor, row)
        cursor.readText()
        yield cursor.text
        row++
      } while (cursor.take(','))
      cursor.expect(end, `"," or "${end}"`)
    }
    cursor.expectEnd()
  } finally {
    window.close()
  }
}

function expectKey(cursor: JsonCursor, row: number): void {
  cursor.readText(`the key "${row}"`)
  if (cursor.text !== String(row)) cursor.fail(`found the key "${cursor.text}", expected "${row}"`)
  cursor.expect(':')
}
