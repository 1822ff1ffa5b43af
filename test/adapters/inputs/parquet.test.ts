import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openInput } from '../../../lib/adapters/inputs/open-input.ts'
import { readExpected, readWhole } from '../../support/inputs.ts'
import { makeTempDir } from '../../support/temp.ts'

const COMPRESSORS = { SNAPPY: undefined, GZIP: gzipSync, ZSTD: zstdCompressSync, BROTLI: brotliCompressSync }
const { texts, rows } = readExpected()
const numbers = rows.map((row) => [...row] as (number | null)[])

function writeParquet(embeddings: unknown[] | undefined, codec: keyof typeof COMPRESSORS = 'SNAPPY'): string {
  const path = join(makeTempDir(), 'items.parquet')
  const flat = [
    {
      name: 'id',
      data: BigInt64Array.from(texts, (_, row) => BigInt(row) + 9007199254740993n),
      type: 'INT64',
    },
    { name: 'text', data: texts, type: 'STRING' },
    { name: 'topic', data: texts.map((_, row) => row % 7), type: 'INT32' },
    { name: 'seen', data: texts.map((_, row) => BigInt(row)), type: 'INT64' },
  ] as const
  const list = [
    { name: 'embedding', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', type: 'FLOAT', repetition_type: 'OPTIONAL' },
  ] as const
  const columns = embeddings ? [...flat, { name: 'embedding', data: embeddings }] : flat
  const schema = [
    { name: 'root', num_children: columns.length },
    { name: 'id', type: 'INT64', repetition_type: 'REQUIRED' },
    { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
    { name: 'topic', type: 'INT32', repetition_type: 'REQUIRED' },
    { name: 'seen', type: 'INT64', repetition_type: 'REQUIRED' },
    ...(embeddings ? list : []),
  ] as const
  const plain = columns.map(({ name, data }) => ({ name, data: [...data] }))
  const compress = COMPRESSORS[codec]
  const buffer = parquetWriteBuffer({
    columnData: plain,
    schema: [...schema],
    rowGroupSize: 25,
    codec,
    ...(compress && { compressors: { [codec]: compress } }),
  })
  writeFileSync(path, Buffer.from(buffer))
  return path
}

test('reads every row group: ids, texts, embeddings, metadata', async () => {
  const input = await openInput(writeParquet(numbers))
  assert.is(input.kind, 'Parquet')
  assert.is(input.rows, 60)
  assert.is(input.dimensions, 8)
  const { items, vectors, rejects } = await readWhole(input)
  assert.equal(vectors, numbers)
  assert.equal(items[59], { id: '9007199254741052', text: texts[59], topic: 3, seen: 59 })
  assert.equal(rejects, [])
})

for (const codec of ['GZIP', 'ZSTD', 'BROTLI'] as const) {
  test(`reads columns that are compressed by ${codec}`, async () => {
    const { vectors } = await readWhole(await openInput(writeParquet(numbers, codec)))
    assert.equal(vectors, numbers)
  })
}

test('gives texts alone where there is no column of embeddings', async () => {
  const input = await openInput(writeParquet(undefined))
  assert.is(input.dimensions, null)
  const { items, vectors } = await readWhole(input)
  assert.is(items.length, 60)
  assert.equal(vectors, [])
})

test('rejects rows whose embedding is missing, short, or not finite', async () => {
  const broken: unknown[] = [...numbers]
  broken[1] = null
  broken[30] = [1, 2]
  broken[31] = [1, 2, 3, null, 5, 6, 7, 8]
  broken[59] = [1, 2, 3, Number.NaN, 5, 6, 7, 8]
  const { items, rejects } = await readWhole(await openInput(writeParquet(broken)))
  assert.is(items.length, 56)
  assert.equal(rejects, [
    { row: 1, reason: 'has no embedding' },
    { row: 30, reason: 'embedding has 2 numbers, expected 8' },
    { row: 31, reason: 'embedding[3] is not a number' },
    { row: 59, reason: 'embedding[3] is not finite' },
  ])
})

test('tells a damaged file as corrupt, naming it', async () => {
  const path = writeParquet(numbers)
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, bytes.length - 40))
  const error = await openInput(path).then(
    () => assert.unreachable(),
    (failure: Error & { kind: string }) => failure,
  )
  assert.is(error?.kind, 'corrupt')
  assert.match(error!.message, /items\.parquet: cannot be read as Parquet/)
})

test.run()
