import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseShardsFile } from '../../lib/config/shards-file.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'

const FINDFACE = `
extraction-api: {timeouts: {connect: 5s}, extraction-api: http://127.0.0.1:18666}
storage-api-from: # current location of the gallery
  timeouts: {connect: 500ms, response_header: 30s, overall: 1m, idle_connection: 0s}
  max-idle-conns-per-host: 20
  shards:
    - master: http://tnt-old-1:8001/v2/
      slaves: []
    - master: http://tnt-old-2:8001/v2/
      slaves: [http://tnt-old-3:8001/v2/]
    - {master: http://tnt-old-4:8001/v2/, slave: ''}
storage-api-to:
  shards:
    - master: http://tnt-new-1:8001/v2/
      slaves: []
workers_num: 2
faces_limit: 100
extraction_batch_size: 8
normalized_storage: {type: webdav, enabled: True}
`

function messageOf(text: string): string {
  try {
    parseShardsFile(text, 'shards.yml')
  } catch (error) {
    if (error instanceof LongshoreError && error.kind === 'usage') return error.message
    throw error
  }
  throw new Error('it was taken')
}

test("reads the shape of FindFace's migration, older and newer, and says which keys it does not use", () => {
  const { from, to, notes, ...numbers } = parseShardsFile(FINDFACE, 'shards.yml')
  assert.equal(
    from.map(({ addresses }) => addresses),
    [
      ['http://tnt-old-1:8001/v2/'],
      ['http://tnt-old-2:8001/v2/', 'http://tnt-old-3:8001/v2/'],
      ['http://tnt-old-4:8001/v2/'],
    ],
  )
  assert.equal(from[1]!.where, 'shards.yml:9: storage-api-from.shards.1.master')
  assert.equal(to.length, 1)
  assert.equal(numbers, { connectMs: 500, overallMs: 60_000, workers: 2, pageRows: 100 })
  assert.is(notes.length, 3)
  assert.match(notes[0]!, 'shards.yml:2: extraction-api: not used')
})

test('names file, line and key of what is wrong', () => {
  const cases: [string, string][] = [
    [
      FINDFACE.replace('storage-api-from:', 'storage-api-form:'),
      'shards.yml:3: storage-api-form: no such key; did you mean storage-api-from?',
    ],
    [
      'storage-api-from:\n  shards: []\n',
      'shards.yml:2: storage-api-from.shards: expected at least 1 entries',
    ],
    [
      FINDFACE.replace('http://tnt-old-2:8001/v2/\n', 'tnt-old-2\n'),
      'shards.yml:9: storage-api-from.shards.1.master: expected an http or https address',
    ],
    [
      FINDFACE.replace('connect: 500ms', 'connect: soon'),
      'shards.yml:4: storage-api-from.timeouts.connect: expected a time',
    ],
    [FINDFACE.replace('workers_num: 2', 'workers_num: many'), 'shards.yml:16: workers_num: expected'],
    [
      FINDFACE.replace('tnt-new-1', 'tnt-old-3'),
      'shards.yml:14: storage-api-to.shards.0.master: tnt-old-3:8001 is an address of shards.yml:9',
    ],
    ['storage-api-from: [', 'shards.yml:1:'],
  ]
  for (const [text, message] of cases) assert.match(messageOf(text), message)
})

test.run()
