import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { findFreePort } from '../support/free-port.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { ROOT } from '../support/shared.ts'
import { makeTempDir } from '../support/temp.ts'

const OBSERVABILITY = join(ROOT, 'observability')
const LONG_MS = 90_000
const run = promisify(execFile)
const directory = makeTempDir()
const textfiles = join(directory, 'textfiles')

let fleet: Fleet
let collector: Server
let prometheus: ChildProcess | undefined
let address: string

test.before(async () => {
  await mkdir(textfiles)
  fleet = await makeFleet({ metrics: { textfile: textfiles } })
  await writeQuestions(fleet.path('in.jsonl'), makeQuestions('first', 120))
  const commands: [string, ...string[]][] = [
    ['split-index', fleet.path('in.jsonl')],
    ['deliver'],
    ['update-indices'],
  ]
  for (const [script, ...args] of commands) {
    const { code, stderr } = await fleet.run(script, ...args)
    assert.is(code, 0, stderr)
  }
  collector = await startCollector()
})
test.after(async () => {
  prometheus?.kill('SIGKILL')
  collector?.close()
  await fleet?.stop()
})

test('alert rules are well-formed, and speak up when they shall and not otherwise', async () => {
  await run('promtool', ['check', 'rules', 'alerts.yml'], { cwd: OBSERVABILITY })
  await run('promtool', ['check', 'config', 'prometheus.yml'], { cwd: OBSERVABILITY })
  await run('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd: OBSERVABILITY })
})

test('each command leaves its outcome where the collector of node_exporter finds it, whole and readable', async () => {
  const failed = await fleet.run('update-indices', 'dg_9')
  assert.is(failed.code, 10)
  assert.equal((await readdir(textfiles)).sort(), [
    'longshore_test_deliver.prom',
    'longshore_test_split-index.prom',
    'longshore_test_update-indices.prom',
  ])
  const file = join(textfiles, 'longshore_test_update-indices.prom')
  const text = await readFile(file, 'utf8')
  const labels = '{profile="test",command="update-indices"}'
  assert.match(text, `longshore_run_exit_code${labels} 10\n`)
  assert.match(text, /longshore_run_success_timestamp_seconds\{.+\} 1[\d.]{9,}\n/)
  assert.is((await stat(file)).mode & 0o777, 0o644)
  const checked = execFile('promtool', ['check', 'metrics'])
  checked.stdin!.end(text)
  const [code] = await once(checked, 'close')
  assert.is(code, 0)
})

test('a dry run leaves nothing, and a directory that is not there fails no command', async () => {
  const before = await readdir(textfiles)
  assert.is((await fleet.run('verify', '--dry-run')).code, 0)
  assert.equal(await readdir(textfiles), before)
  const other = await makeFleet({ metrics: { textfile: join(directory, 'missing') } })
  const { code, stderr } = await other.run('status')
  assert.is(code, 0)
  assert.match(stderr, 'metrics.textfile: it was not told how status ended')
})

test('a real Prometheus finds the whole fleet, and knows every metric that dashboard and alerts name', async () => {
  await startPrometheus()
  await ask('/v1/search', { query: 'bicycle chain' })
  await eventually(async () => {
    const { activeTargets } = await askPrometheus('targets')
    const states = activeTargets.map(({ health }: { health: string }) => health)
    assert.equal(states, Array(6).fill('up'))
  }, LONG_MS)
  const known = await eventually(async () => {
    const metadata = await askPrometheus('metadata')
    assert.ok('longshore_run_exit_code' in metadata && 'longshore_search_seconds' in metadata)
    return new Set(Object.keys(metadata))
  }, LONG_MS)
  for (const expression of await listExpressions()) {
    for (const [name] of expression.matchAll(/\b(?:longshore|process)_[a-z_]+(?=[{[) ]|$)/g)) {
      const plain = name.replace(/_bucket$/, '')
      if (plain !== 'longshore_service') assert.ok(known.has(plain), `${plain} in ${expression}`)
    }
    await askPrometheus(`query?query=${encodeURIComponent(expression)}`)
  }
  const served = await eventually(async () => {
    const { result } = await askPrometheus(
      `query?query=${encodeURIComponent('longshore_generation_info{service="gateway"}')}`,
    )
    assert.is(result.length, 1)
    return result[0].metric
  }, LONG_MS)
  assert.is(served.generation, 'dg_1')
})

/** Expressions of the dashboard, with its variables filled in, and of the alerts. */
async function listExpressions(): Promise<string[]> {
  const dashboard = JSON.parse(await readFile(join(OBSERVABILITY, 'dashboard.json'), 'utf8')) as {
    panels: { targets?: { expr: string }[] }[]
  }
  const panels = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  const { groups } = await askPrometheus('rules')
  const rules = (groups as { rules: { query: string }[] }[]).flatMap((group) => group.rules)
  const all = [...panels, ...rules.map(({ query }) => query)]
  assert.ok(all.length > 30)
  return all.map((expr) => expr.replaceAll('$__rate_interval', '1m'))
}

/** Stands in for node_exporter: the files of its directory, one after the other. */
async function startCollector(): Promise<Server> {
  const server = createServer(async (_request, response) => {
    const names = (await readdir(textfiles)).filter((name) => name.endsWith('.prom'))
    const texts = await Promise.all(names.map((name) => readFile(join(textfiles, name), 'utf8')))
    // node_exporter tells each metric's help once.
    const lines = texts.join('').split('\n')
    response.setHeader('content-type', 'text/plain; version=0.0.4')
    response.end(`${[...new Set(lines)].filter(Boolean).join('\n')}\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** Starts Prometheus with the files that the project ships, but for addresses and pauses. */
async function startPrometheus(): Promise<void> {
  const shipped = await readFile(join(OBSERVABILITY, 'prometheus.yml'), 'utf8')
  const config = shipped
    .replaceAll('15s', '1s')
    .replace('30s', '1s')
    .replace('http://127.0.0.1:14005', fleet.url)
    .replace('127.0.0.1:9100', `127.0.0.1:${(collector.address() as AddressInfo).port}`)
  await writeFile(join(directory, 'prometheus.yml'), config)
  await writeFile(join(directory, 'alerts.yml'), await readFile(join(OBSERVABILITY, 'alerts.yml')))
  address = `127.0.0.1:${await findFreePort()}`
  const flags = [`--config.file=${directory}/prometheus.yml`, `--storage.tsdb.path=${directory}/data`]
  prometheus = spawn('prometheus', [...flags, `--web.listen-address=${address}`], { stdio: 'ignore' })
  process.once('exit', () => prometheus?.kill('SIGKILL'))
  await eventually(async () => void (await askPrometheus('targets')), LONG_MS)
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into member by member
async function askPrometheus(path: string): Promise<any> {
  const reply = await fetch(`http://${address}/api/v1/${path}`)
  const { status, data, error } = (await reply.json()) as { status: string; data: unknown; error?: string }
  assert.is(status, 'success', `${decodeURIComponent(path)}: ${error}`)
  return data
}

async function ask(path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const reply = await fetch(`${fleet.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  assert.is(reply.status, 200)
}

test.run()
