import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ROOT } from '../support/shared.ts'
import { makeTempDir } from '../support/temp.ts'

/** What systemd says of the units of this checkout, after an edit to each. */
async function judge(edit: (unit: string) => string = (unit) => unit): Promise<string> {
  const directory = makeTempDir()
  cpSync(join(ROOT, 'config/systemd'), directory, { recursive: true })
  const units = globSync(join(directory, '*'))
  for (const unit of units) {
    writeFileSync(unit, edit(readFileSync(unit, 'utf8').replaceAll('/srv/longshore/', ROOT)))
  }
  const { all, exitCode } = await execa('systemd-analyze', ['verify', '--man=no', ...units], {
    all: true,
    reject: false,
  })
  return `${exitCode} ${all}`.trim()
}

test('systemd finds nothing wrong with the units', async () => {
  assert.is(await judge(), '0')
})

test('systemd would find a key that it does not know, a wrong time and a missing program', async () => {
  assert.match(await judge((unit) => unit.replace('KillMode', 'KilMode')), "Unknown key 'KilMode'")
  assert.match(await judge((unit) => unit.replace('04:00:00', '25:00:00')), 'calendar')
  assert.match(await judge((unit) => unit.replaceAll(ROOT, '/nowhere/')), 'not executable')
})

test('a missed run is made up for, and services outlive the run that starts them', () => {
  const read = (name: string) => readFileSync(join(ROOT, 'config/systemd', name), 'utf8')
  assert.match(read('longshore-update.timer'), /^Persistent=true$/m)
  assert.match(read('longshore-update.service'), /^KillMode=process$/m)
})

test.run()
