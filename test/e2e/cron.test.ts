import { randomUUID } from 'node:crypto'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Cron, startCron } from '../support/cron.ts'
import { editVectors, forgeGeneration } from '../support/damage.ts'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { findMarked, MARK } from '../support/leftovers.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { ROOT } from '../support/shared.ts'

/** A run begins at the next minute and takes its time. */
const RUN_MS = 120_000
const mark = process.env[MARK] ?? randomUUID()

/** One has a generation that was never served, the other a newest one that no gate lets pass. */
let good: Fleet
let bad: Fleet
let cron: Cron | undefined

test.before(async () => {
  good = await makeFleet()
  bad = await makeFleet()
  await writeQuestions(good.path('good.jsonl'), makeQuestions('good', 240))
  assert.is((await good.run('split-index', good.path('good.jsonl'))).code, 0)
  await cp(good.path('dgs', 'dg_1'), bad.path('dgs', 'dg_1'), { recursive: true })
  assert.is((await bad.run('update-indices')).code, 0)
  await forgeGeneration(bad.path('dgs'), { from: 'dg_1', to: 'dg_2' }, async (copy) => {
    await editVectors(`${copy}/clust_0/vectors.npy`, (values) => values.fill(Number.NaN, 0, 64))
    return undefined
  })
  // The run at the start of cron has to be well ahead of that of the next minute.
  await eventually(() => assert.ok(new Date().getSeconds() < 50), RUN_MS)
  const example = await readFile(join(ROOT, 'config/crontab.example'), 'utf8')
  cron = startCron(
    `${renderHead(example)}\n${renderJobs(example, good)}\n${renderJobs(example, bad)}\n`,
    mark,
  )
})

test.after(async () => {
  await cron?.stop()
  for (const fleet of [good, bad]) await stopFleet(fleet)
})

test('serves the newest generation from a crontab like the example, and mails one line', async () => {
  const mail = await mailOf(good, 'update-indices', /^dg_1 is serving\nexit 0$/)
  assert.match(mail, `X-Cron-Env: <PATH=${ROOT}node_modules/.bin:/usr/bin:/bin>`)
  assert.is(await ask(good), 'dg_1')
})

test('refuses a bad generation with exit code 13, and mails the reason and what to do', async () => {
  await mailOf(bad, 'update-indices', /^error: dg_2 is refused: .+\nhint: .+\nexit 13$/)
  assert.is(await ask(bad), 'dg_1')
})

test('says nothing at the next tick, when there is nothing to do', async () => {
  await mailOf(good, 'update-indices', /^exit 0$/)
})

test('refuses the bad generation at every further tick with exit code 14, until somebody acknowledges it', async () => {
  await mailOf(bad, 'update-indices', /^error: dg_2 is quarantined since .+\nhint: .+ --force\nexit 14$/)
  assert.is(await ask(bad), 'dg_1')
})

test('delivers from the same crontab, or leaves it to an update that is at work', async () => {
  await mailOf(good, 'deliver', /(^|hint: .+\n)exit (0|11)$/)
  await mailOf(bad, 'deliver', /hint: .+\nexit (14|11)$/)
})

test('leaves nothing running when the fleets are down', async () => {
  await cron?.stop()
  for (const fleet of [good, bad]) {
    const { serving, drift } = (await fleet.run('status')).json
    assert.is(serving.generation, 'dg_1')
    assert.equal(drift, [])
    await stopFleet(fleet)
  }
  await eventually(async () => assert.equal(await findMarked(mark), []))
})

/** Takes a fleet down once no run of its own is under way. */
async function stopFleet(fleet: Fleet): Promise<void> {
  await eventually(async () => {
    const runs = await readRuns(fleet)
    const count = (word: string) => runs.filter((line) => line === word).length
    assert.is(count('ended'), count('began'))
  }, RUN_MS)
  await fleet.stop()
}

/** The settings at the head of the example, for this checkout. */
function renderHead(example: string): string {
  const settings = example.split('\n').filter((line) => /^[A-Z]+=/.test(line))
  return settings.join('\n').replaceAll('/srv/longshore/', ROOT)
}

/** The jobs of the example for one fleet: the one that catches up at once, the others at every minute. */
function renderJobs(example: string, { profile, path }: Fleet): string {
  const jobs = [...example.matchAll(/^#?((?:\S+ +){5}|@reboot +)(cd .*)$/gm)]
  const runs = path('runs')
  const lines = jobs.map(([, time = '', line = '']) => {
    const when = time.startsWith('@') ? '@reboot' : '* * * * *'
    const command = line.replace('/srv/longshore', ROOT).replace('config/production.yml', profile)
    return `${when} echo began >>${runs}; ${command}; echo exit $?; echo ended >>${runs}`
  })
  return lines.join('\n')
}

async function readRuns(fleet: Fleet): Promise<string[]> {
  const text = await readFile(fleet.path('runs'), 'utf8').catch(() => '')
  return text.split('\n').slice(0, -1)
}

/** A mail about a run of a command whose body is this; cron sends it when the job has closed its output. */
async function mailOf(fleet: Fleet, script: string, body: RegExp): Promise<string> {
  return await eventually(() => {
    const isAbout = (mail: string) => mail.includes(fleet.profile) && mail.includes(`/${script}.mjs`)
    const mails = cron!.readMails().filter(isAbout)
    const found = mails.find((mail) => body.test(bodyOf(mail)))
    assert.ok(found, `no mail says ${body}: ${mails.map(bodyOf).join(' | ')}`)
    return found
  }, RUN_MS)
}

function bodyOf(mail: string): string {
  return mail.slice(mail.indexOf('\n\n') + 2).trimEnd()
}

/** The generation that answers. */
async function ask({ url }: Fleet): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ query: makeQuestions('good', 1)[0]!.text, k: 1 })
  const answer = await fetch(`${url}/v1/search`, { method: 'POST', headers, body })
  return ((await answer.json()) as { generation: string }).generation
}

test.run()
