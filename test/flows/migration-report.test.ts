import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { MigrationReport } from '../../lib/domain/migration-report.ts'
import type { Context } from '../../lib/flows/context.ts'
import { EmbedError } from '../../lib/ports/embedding-server.ts'
import type { ReportPaths } from '../../lib/ports/reports.ts'
import { makeFormerWorld } from '../support/former-world.ts'

async function readReport(json: Readonly<Record<string, unknown>>): Promise<MigrationReport> {
  return JSON.parse(await readFile((json.report as ReportPaths).json, 'utf8')) as MigrationReport
}

test('reports how a generation came about and how it differs from the former one, and where the report is', async () => {
  const { run, generations } = await makeFormerWorld()
  const { json, text } = await run()
  const { before, after, work, spaces, rejects, comparison } = await readReport(json)
  assert.equal([before.generation, after.generation, after.items], ['dg_1', 'dg_2', 60])
  assert.is(after.digest, (await generations.read('dg_2')).digest)
  assert.equal([work.items, work.device], [60, 'here'])
  assert.is(work.rate.at(-1)!.items, 60)
  assert.equal([spaces.items, spaces.map.items.length, spaces.overlap.length], [60, 60, 4])
  assert.equal([rejects.count, comparison], [0, undefined])
  assert.match(text, `report: ${(json.report as ReportPaths).html}`)
})

test('keeps what embedding took when the same is run again and embeds nothing', async () => {
  const { run } = await makeFormerWorld()
  const { work } = await readReport((await run()).json)
  const again = await run()
  assert.is(again.outcome, 'nothing-to-do')
  assert.equal((await readReport(again.json)).work, work)
})

test('keeps what was found by asking both generations when the same is made again without asking', async () => {
  const { run, whole } = await makeFormerWorld()
  const report = await readReport((await run()).json)
  const gates = [{ name: 'modelLoss', measured: 0, limit: '<= 0.02', passed: true }] as const
  const comparison = { judged: 0 }
  await whole.reports.write({ ...report, comparison, gates })
  const again = await readReport((await run()).json)
  assert.equal([again.comparison, again.gates], [comparison, gates])
  await whole.reports.write({ ...report, before: report.after, comparison, gates })
  assert.is((await readReport((await run()).json)).comparison, undefined)
})

test('names items by their texts, long ones by how they begin', async () => {
  const texts = Array.from(
    { length: 60 },
    (_, index) => `${index} ${index === 5 ? '😀'.repeat(60) : 'short'}`,
  )
  const { spaces } = await readReport((await (await makeFormerWorld({ texts })).run()).json)
  const names = spaces.map.items.map(({ name }) => name)
  assert.equal(names.sort()[0], '0 short')
  const long = names.find((name) => name.startsWith('5 😀'))!
  assert.ok(long.length === 81 && long.endsWith('…') && long.isWellFormed(), long)
})

test('reads a gallery that is known no more than once', async () => {
  const { run, whole } = await makeFormerWorld()
  await run()
  let readings = 0
  const open: Context['inputs']['open'] = async (path, options) => {
    const input = await whole.inputs.open(path, options)
    const { kind, files, rows, dimensions, clusters } = input
    const read: typeof input.read = (signal) => {
      readings++
      return input.read(signal)
    }
    return { kind, files, rows, dimensions, clusters, read }
  }
  const { outcome } = await run({ inputs: { ...whole.inputs, open } })
  assert.equal([outcome, readings], ['nothing-to-do', 1])
})

test('lists what the model refused with its reason, and draws none of it', async () => {
  const texts = Array.from({ length: 60 }, (_, index) => `text ${index}`)
  const { run, root } = await makeFormerWorld({
    texts,
    behave: (batch) => {
      if (batch.includes('text 7')) throw new EmbedError('split', 'too long')
    },
  })
  const { rejects, spaces, after } = await readReport((await run()).json)
  assert.is(rejects.count, 1)
  assert.match(rejects.listed[0]!.reason, 'too long')
  assert.equal([spaces.items, after.items], [59, 59])
  await rm(join(root, 'dg_2.rejects.jsonl'))
  assert.equal((await readReport((await run()).json)).rejects, { count: 1, listed: [] })
})

test.run()
