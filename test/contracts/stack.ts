import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Json } from '../../lib/domain/canonical-json.ts'
import { findDifferences } from '../../lib/domain/content-difference.ts'
import type { MadeService } from '../../lib/domain/made-service.ts'
import type { ServiceSpec } from '../../lib/domain/service.ts'
import type { Orchestrator } from '../../lib/ports/orchestrator.ts'
import type { Stack } from '../../lib/ports/stack.ts'
import { rejectsWith } from '../support/errors.ts'
import { FAILURES, makeSpec } from './orchestrator.ts'
import type { Register } from './side-by-side.ts'

export type StackSubject = {
  readonly stack: Stack
  /** Of the same engine. */
  readonly orchestrator: Orchestrator
  /** Two nodes that may run tasks. */
  readonly nodes: readonly [string, string]
  /** How long a change may take whose task fails, in milliseconds; 3000 where left out. */
  readonly failureDeadlineMs?: number
}

const OPTIONS = { signal: new AbortController().signal, deadlineMs: 60_000 }

/** Registers the promises of the port Stack as tests, each on a subject of its own; `register` may run some at once. */
export function describeStack(
  name: string,
  makeSubject: () => Promise<StackSubject>,
  register: Register = test,
): void {
  const promise = (promised: string, check: (subject: StackSubject) => Promise<void>) =>
    register(`${name} ${promised}`, async () => {
      const subject = await makeSubject()
      try {
        await check(subject)
      } finally {
        await subject.orchestrator.shutDown(OPTIONS.signal)
      }
    })

  promise('changes nothing by rendering', async (subject) => {
    const { content } = await render(subject, makeSpec(subject))
    assert.ok(Object.keys(content).length > 0)
    assert.equal(await subject.stack.observe(OPTIONS), [])
  })

  promise('finds a service made as it was rendered', async (subject) => {
    const spec = makeSpec(subject, { replicas: 2 })
    const rendered = await render(subject, spec)
    await subject.orchestrator.change(spec, OPTIONS)
    assertSame(await subject.stack.observe(OPTIONS), [rendered])
  })

  promise('tells in the content what changes in a spec', async (subject) => {
    const one = await render(subject, makeSpec(subject, { settings: { A: '1' } }))
    const other = await render(subject, makeSpec(subject, { settings: { A: '2' }, replicas: 2 }))
    const paths = findDifferences(one.content, other.content).map(({ path }) => path)
    assert.is(paths.length, 2)
    assert.match(paths.join(), /\bA\b.*replicas|replicas.*\bA\b/)
  })

  promise('lets a service be made again of what it was made of before', async (subject) => {
    const spec = makeSpec(subject)
    await subject.orchestrator.change(spec, OPTIONS)
    const [former] = (await subject.stack.observe(OPTIONS)) as [MadeService]
    await subject.orchestrator.change(makeSpec(subject, { settings: { A: '2' } }), OPTIONS)
    await subject.orchestrator.change(former.spec, { ...OPTIONS, content: former.content })
    assertSame(await subject.stack.observe(OPTIONS), [former])
  })

  promise('leaves the tasks of a service alone whose content is equal', async (subject) => {
    const spec = makeSpec(subject)
    await subject.orchestrator.change(spec, OPTIONS)
    const before = await subject.orchestrator.observe(OPTIONS.signal)
    const { content } = await render(subject, spec)
    await subject.orchestrator.change(spec, { ...OPTIONS, content })
    assert.equal(await subject.orchestrator.observe(OPTIONS.signal), before)
  })

  promise('finds the former content after a change that failed', async (subject) => {
    await subject.orchestrator.change(makeSpec(subject), OPTIONS)
    const before = await subject.stack.observe(OPTIONS)
    const bad = makeSpec(subject, { settings: FAILURES.crash })
    const { content } = await render(subject, bad)
    const deadlineMs = subject.failureDeadlineMs ?? 3000
    await rejectsWith(subject.orchestrator.change(bad, { ...OPTIONS, content, deadlineMs }), 'remote')
    assertSame(await subject.stack.observe(OPTIONS), before)
  })

  promise('reads again what it describes, whatever stands in settings', async (subject) => {
    const settings = { MODEL: '{"name":"$HOME $$ {{.Node.ID}}"}', EMPTY: '' }
    const services = await subject.stack.render(
      [makeSpec(subject, { settings }), makeSpec(subject, { name: 'index_1', cluster: 1 })],
      OPTIONS,
    )
    const document = JSON.parse(JSON.stringify(subject.stack.describe(services))) as Json
    assert.equal(Object.keys((document as { services: object }).services).length, 2)
    assertSame(subject.stack.parse(document), services)
  })

  promise('refuses a document that it did not describe', async ({ stack }) => {
    const documents: Json[] = [null, 'x', [], {}, { services: { index_0: { deploy: {} } } }]
    for (const document of documents) {
      await rejectsWith(
        Promise.resolve(document).then((each) => stack.parse(each)),
        'corrupt',
      )
    }
  })

  promise('does nothing once it was interrupted', async (subject) => {
    const options = { ...OPTIONS, signal: AbortSignal.abort(new Error('interrupted')) }
    const calls = [() => subject.stack.observe(options), () => subject.stack.render([], options)]
    for (const call of calls) {
      await call().then(
        () => assert.unreachable(),
        (error) => assert.match(String(error), 'interrupted'),
      )
    }
  })
}

async function render({ stack }: StackSubject, spec: ServiceSpec): Promise<MadeService> {
  const [made] = await stack.render([spec], OPTIONS)
  assert.equal(made?.spec, spec)
  return made!
}

/** Equal as JSON: a member that is undefined is one that is not there. */
function assertSame(found: readonly MadeService[], expected: readonly MadeService[]): void {
  assert.equal(JSON.parse(JSON.stringify(found)), JSON.parse(JSON.stringify(expected)))
}
