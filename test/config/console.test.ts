import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { settleConsole } from '../../lib/config/console-token.ts'
import { parseProfile } from '../../lib/config/load.ts'
import { createBlueprint } from '../../lib/flows/blueprint.ts'
import { makeTempDir } from '../support/temp.ts'

const directory = makeTempDir()
const NODES = 'nodes: [{ name: n1, host: n1.example }]'
const MODEL = 'model: { name: m, version: "1", dimensions: 4, metric: cosine, normalized: true }'
const LOCAL = `name: test\n${NODES}\n${MODEL}\nstate: /somewhere\n`
const SWARM = `${LOCAL}engine: swarm\nswarm: { managers: [n1], image: "longshore:1" }\n`

function writeToken(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}
const settle = (text: string) => settleConsole(parseProfile(text, 'x.yml'))
const consoleOf = async (text: string) => createBlueprint(await settle(text)).gateway.settings.CONSOLE

test('is served where nobody else reaches it, and nowhere else unless the profile says so', async () => {
  assert.equal(JSON.parse((await consoleOf(LOCAL))!), {
    profile: 'test',
    fleet: { state: '/somewhere', nodes: ['n1'] },
  })
  assert.is(await consoleOf(`${LOCAL}gateway: { host: 0.0.0.0 }\n`), undefined)
  assert.is(await consoleOf(`${LOCAL}gateway: { console: { enabled: false } }\n`), undefined)
  assert.is(await consoleOf(SWARM), undefined)
})

test('tells gateways the digest of the token, and never the token', async () => {
  const token = 'thirty-two-characters-of-a-token'
  const file = writeToken('token', `${token}\n`)
  const told = (await consoleOf(`${SWARM}gateway: { console: { enabled: true, tokenFile: ${file} } }\n`))!
  assert.equal(JSON.parse(told), {
    profile: 'test',
    tokenDigest: createHash('sha256').update(token).digest('hex'),
  })
  assert.not.match(told, token)
})

test('refuses a console without a token that others could reach', () => {
  for (const text of [
    `${SWARM}gateway: { console: { enabled: true } }\n`,
    `${LOCAL}gateway: { host: 0.0.0.0, console: { enabled: true } }\n`,
  ]) {
    assert.throws(
      () => parseProfile(text, 'x.yml'),
      /x\.yml:\d+: gateway\.console\.tokenFile: missing; expected/,
    )
  }
})

test('refuses a file that is not there, and tokens that could be guessed', async () => {
  const files = [
    join(directory, 'missing'),
    writeToken('short', 'short\n'),
    writeToken('blank', 'a token with blanks in it'),
  ]
  for (const file of files) {
    try {
      await settle(`${LOCAL}gateway: { console: { tokenFile: ${file} } }\n`)
      assert.unreachable(file)
    } catch (error) {
      assert.match((error as Error).message, `gateway.console.tokenFile: `)
      assert.match((error as Error).message, file)
    }
  }
})

test.run()
