import { PassThrough } from 'node:stream'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createConfirm } from '../../lib/cli/confirm.ts'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { Plan } from '../../lib/domain/plan.ts'

const PLAN: Plan = { steps: [{ batch: 1, action: 'switch', target: 'gateway', cause: 'dg_2 is newer' }] }

/** A terminal that has these keys typed, and shows what was written to it. */
function createTerminal(typed: string | null) {
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const output = Object.assign(new PassThrough(), { isTTY: true })
  if (typed === null) input.end()
  else input.write(typed)
  return { input, output, shown: () => String(output.read() ?? '') }
}

const OPTIONS = {
  command: 'update-indices',
  yes: false,
  showPlan: false,
  signal: new AbortController().signal,
}

/** The kind of the error that a confirmation raises, `agreed` when none. */
async function kindOf(confirmed: Promise<void>): Promise<string> {
  try {
    await confirmed
    return 'agreed'
  } catch (error) {
    return error instanceof LongshoreError ? error.kind : (error as Error).name
  }
}

for (const [typed, kind] of [
  ['y\n', 'agreed'],
  ['YES\n', 'agreed'],
  ['n\n', 'aborted'],
  ['\n', 'aborted'],
  ['yellow\n', 'aborted'],
  [null, 'aborted'],
] as const) {
  test(`takes ${JSON.stringify(typed)} as ${kind}`, async () => {
    assert.is(await kindOf(createConfirm({ ...OPTIONS, ...createTerminal(typed) })(PLAN)), kind)
  })
}

test('does not ask when --yes was given', async () => {
  const terminal = createTerminal('n\n')
  assert.is(await kindOf(createConfirm({ ...OPTIONS, ...terminal, yes: true })(PLAN)), 'agreed')
  assert.is(terminal.shown(), '')
})

test('refuses without a terminal, and names --yes', async () => {
  const input = new PassThrough()
  try {
    await createConfirm({ ...OPTIONS, input, output: new PassThrough() })(PLAN)
    assert.unreachable()
  } catch (error) {
    assert.is((error as LongshoreError).kind, 'usage')
    assert.match((error as LongshoreError).hint ?? '', '--yes')
  }
})

test('shows the plan before it asks where no reporter did', async () => {
  const terminal = createTerminal('y\n')
  await createConfirm({ ...OPTIONS, ...terminal, showPlan: true })(PLAN)
  assert.match(terminal.shown(), /dg_2 is newer[\s\S]*this step\? \[y\/N\]/)
})

test('stops asking when the command is interrupted', async () => {
  const controller = new AbortController()
  const { input, output } = createTerminal('')
  const confirmed = createConfirm({ ...OPTIONS, input, output, signal: controller.signal })(PLAN)
  controller.abort()
  assert.is(await kindOf(confirmed), 'AbortError')
})

test.run()
