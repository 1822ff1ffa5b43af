import { writeFile } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Browser, startBrowser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { type Fleet, makeFleet } from '../support/fleet.ts'
import { findFreePort } from '../support/free-port.ts'
import { makeQuestions, writeQuestions } from '../support/questions.ts'
import { makeTempDir } from '../support/temp.ts'

const TOKEN = 'correct-horse-battery'
const EVIL = '<script>window.hacked = true</script><img src=x onerror="window.hacked = true"> anchor windlass'
/** Whatever else this machine does meanwhile. */
const LONG_MS = 60_000

let fleet: Fleet
let browser: Browser

test.before(async () => {
  const tokenFile = `${makeTempDir()}/token`
  await writeFile(tokenFile, `${TOKEN}\n`)
  const gateway = { port: await findFreePort(), timeoutSeconds: 20, console: { tokenFile } }
  const update = { deadlineSeconds: 60, soakSeconds: 8, leaseSeconds: 5 }
  fleet = await makeFleet({ gateway, update })
  fleet = { ...fleet, url: `http://127.0.0.1:${gateway.port}` }
  for (const name of ['dg_1', 'dg_2']) {
    const questions = makeQuestions(name, 120)
    questions[0] = { ...questions[0]!, text: `${EVIL} ${name}` }
    await writeQuestions(fleet.path(`${name}.jsonl`), questions)
    const { code, stderr } = await fleet.run('split-index', fleet.path(`${name}.jsonl`), '--generation', name)
    assert.is(code, 0, stderr)
  }
  const { code, stderr } = await fleet.run('update-indices', 'dg_1')
  assert.is(code, 0, stderr)
  browser = await startBrowser()
})
test.after(async () => {
  await browser?.close()
  await fleet?.stop()
})

/** Waits until an expression is true in the page. */
const until = (expression: string) =>
  eventually(async () => assert.ok(await browser.page.read(expression), expression), LONG_MS)
const textOf = (selector: string): Promise<string> =>
  browser.page.read(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`)

test('refuses a wrong token, and opens with the right one, by keyboard alone', async () => {
  const { page } = browser
  await page.open(`${fleet.url}/console/`)
  await until(`!document.getElementById('login').hidden && document.activeElement.id === 'token'`)
  assert.ok(await page.read(`document.getElementById('main').hidden`))
  await page.type('not-the-right-token')
  await page.press('Enter')
  await until(`document.getElementById('refused').textContent.includes('not the right one')`)
  await page.type(TOKEN)
  await page.press('Enter')
  await until(`!document.getElementById('main').hidden && document.getElementById('login').hidden`)
  assert.is(await textOf('#serving'), 'dg_1 is serving')
})

test('tells nothing of the fleet without the token', async () => {
  for (const path of ['about', 'facts']) {
    const { status } = await fetch(`${fleet.url}/console/v1/${path}`)
    assert.is(status, 401, path)
  }
  for (const path of ['search', 'map', 'facts']) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}x` }
    const { status } = await fetch(`${fleet.url}/console/v1/${path}`, { method: 'POST', headers, body: '{}' })
    assert.is(status, 401, path)
  }
})

test('answers a query with scores, clusters and times, by keyboard alone, and shows markup in items as text', async () => {
  const { page } = browser
  await until(`document.activeElement.id === 'query'`)
  await page.type('anchor windlass script')
  await page.press('Enter')
  await until(`document.querySelectorAll('.hit').length === 10`)
  assert.match(await textOf('.hit'), '<script>window.hacked = true</script><img src=x onerror=')
  assert.match(await textOf('.hit .score'), /^0\.\d{4}$/)
  assert.match(await textOf('.hit .meta'), /cluster \d/)
  assert.match(await textOf('.times summary'), /embed .* route .* search .* merge/)
  assert.is(await page.read('window.hacked'), undefined)
  assert.is(await page.read(`document.querySelectorAll('#answers script, #answers img').length`), 0)
})

test('draws a sample of the gallery with the query in it', async () => {
  await until(`document.querySelector('#map .here') !== null`)
  assert.ok((await browser.page.read(`document.querySelectorAll('#map circle').length`)) > 100)
  assert.match(await textOf('#map-about'), /dg_1: \d+ of 120 items/)
})

test('reaches every control by Tab, and the query by a slash', async () => {
  const { page } = browser
  const reached = new Set<string>()
  for (let at = 0; at < 30; at++) {
    await page.press('Tab')
    reached.add(await page.read(`document.activeElement.id || document.activeElement.tagName`))
  }
  for (const one of ['k', 'left', 'right', 'SUMMARY', 'DIV']) assert.ok(reached.has(one), one)
  await page.read(`document.activeElement.blur()`)
  await page.press('/')
  await until(`document.activeElement.id === 'query'`)
})

test('follows an update while it runs, and shows two generations side by side after it', async () => {
  const { page } = browser
  const update = fleet.start('update-indices', 'dg_2')
  await until(`document.querySelector('.running progress') !== null`)
  assert.match(await textOf('.running h2'), 'update dg_1 → dg_2')
  await until(`document.querySelectorAll('.running .steps li').length > 1`)
  const { code, stderr } = await update.ended
  assert.is(code, 0, stderr)
  await until(`document.querySelector('.running') === null`)
  await until(`document.getElementById('serving').textContent === 'dg_2 is serving'`)
  await until(`document.getElementById('right').options.length === 3`)
  await page.read(
    `document.getElementById('right').value = 'dg_2'; document.getElementById('right').dispatchEvent(new Event('change'))`,
  )
  await until(`document.querySelectorAll('article').length === 2`)
  const heads = await page.read(`[...document.querySelectorAll('article h2')].map((one) => one.textContent)`)
  assert.equal(heads, ['dg_1', 'dg_2'])
  await until(`document.querySelectorAll('article .tag').length >= 20`)
})

test('tells who holds and serves which generation, and the command that leads back', async () => {
  await until(`[...document.querySelectorAll('#fleet h2')].some((one) => one.textContent === 'Releases')`)
  const fleetText = await textOf('#fleet')
  assert.match(fleetText, /node-1\s+reachable\s+(serving|held)\s+(loaded|held)/)
  assert.match(fleetText, 'npx zx scripts/rollback.mjs --to dg_1 --profile config/test.yml')
  assert.is(await browser.page.read(`document.querySelectorAll('#fleet button').length`), 1)
})

test('fits a telephone, and has a dark and a light face', async () => {
  const { page } = browser
  const colours: number[] = []
  for (const scheme of ['light', 'dark'] as const) {
    await page.setColours(scheme)
    await page.resize(360, 740)
    const [wide, seen] = await page.read(`[document.documentElement.scrollWidth, window.innerWidth]`)
    assert.is(seen, 360)
    assert.ok(wide <= seen, `${wide} > ${seen}`)
    const colour: string = await page.read(`getComputedStyle(document.body).backgroundColor`)
    colours.push(Number(colour.match(/\d+/)?.[0]))
  }
  assert.ok(colours[0]! > 200 && colours[1]! < 60, String(colours))
})

test('asks nobody but the gateway, takes less than 200 KB, and keeps to its own security policy', async () => {
  const { requests, complaints } = browser.page
  const all = [...requests.values()]
  assert.equal(
    all.filter(({ url }) => !url.startsWith(`${fleet.url}/`)).map(({ url }) => url),
    [],
  )
  const page = all.filter(({ url }) => !url.includes('/v1/'))
  const bytes = page.reduce((sum, one) => sum + one.bytes, 0)
  assert.ok(page.length > 8 && bytes < 200_000, `${page.length} files, ${bytes} bytes`)
  assert.equal(complaints, [])
})

test.run()
