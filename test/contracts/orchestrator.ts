import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LongshoreError } from '../../lib/domain/errors.ts'
import type { ServiceSpec, ServiceState, Task } from '../../lib/domain/service.ts'
import type { Orchestrator } from '../../lib/ports/orchestrator.ts'
import { rejectsWith } from '../support/errors.ts'
import type { Register } from './side-by-side.ts'

export type OrchestratorSubject = {
  readonly orchestrator: Orchestrator
  /** Two nodes that may run tasks. */
  readonly nodes: readonly [string, string]
  /** How long a change may take whose task fails, in milliseconds; 3000 where left out. */
  readonly failureDeadlineMs?: number
  /** Makes a running task end as if it had crashed; resolves when the engine knows. */
  breakTask(task: Task): Promise<void>
}

/** Settings that make a task fail, in words of its own; a subject's services heed them. */
export const FAILURES = {
  crash: { STUB_CRASH: 'the index is upside down' },
  neverReady: { STUB_NEVER_READY: 'still reading the index' },
  canary: { STUB_CANARY_FAILED: 'recall is 0.2, expected at least 0.9' },
} as const

const NEVER = new AbortController().signal
const DG_1 = { name: 'dg_1', digest: 'sha256:1' }
const DG_2 = { name: 'dg_2', digest: 'sha256:2' }

/** Registers the promises of the port Orchestrator as tests, each on a subject of its own; `register` may run some at once. */
export function describeOrchestrator(
  name: string,
  makeSubject: () => Promise<OrchestratorSubject>,
  register: Register = test,
): void {
  const promise = (promised: string, check: (subject: OrchestratorSubject) => Promise<void>) =>
    register(`${name} ${promised}`, async () => {
      const subject = await makeSubject()
      try {
        await check(subject)
      } finally {
        await subject.orchestrator.shutDown(NEVER)
      }
    })

  promise('observes nothing where nothing was started', async ({ orchestrator }) => {
    assert.equal(await orchestrator.observe(NEVER), [])
  })

  promise('starts as many tasks as asked for, ready and spread over the nodes', async (subject) => {
    const spec = makeSpec(subject, { replicas: 2 })
    await change(subject, spec)
    const { spec: observed, tasks } = await observeOne(subject)
    assert.equal(observed, spec)
    assert.equal(
      tasks.map(({ state }) => state),
      ['ready', 'ready'],
    )
    assert.equal(tasks.map(({ node }) => node).sort(), [...subject.nodes])
    assert.is(new Set(tasks.map(({ id }) => id)).size, 2)
  })

  promise('tells what each task really serves', async (subject) => {
    await change(subject, makeSpec(subject, { generations: [DG_1, DG_2] }))
    const { tasks } = await observeOne(subject)
    assert.equal(tasks[0]?.generations, [DG_1, DG_2])
  })

  promise('changes nothing when a service already is as it shall be', async (subject) => {
    await change(subject, makeSpec(subject))
    const before = await observeOne(subject)
    await change(subject, makeSpec(subject))
    assert.equal(await observeOne(subject), before)
  })

  promise('replaces the tasks of a changed service, and leaves none of the former', async (subject) => {
    await change(subject, makeSpec(subject))
    const before = await observeOne(subject)
    await change(subject, makeSpec(subject, { generations: [DG_1, DG_2] }))
    const after = await observeOne(subject)
    assert.is(after.tasks.length, 1)
    assert.is.not(after.tasks[0]?.id, before.tasks[0]?.id)
    assert.equal(after.tasks[0]?.generations, [DG_1, DG_2])
  })

  for (const [how, settings] of Object.entries(FAILURES)) {
    const [words] = Object.values(settings) as [string]
    promise(`puts the former spec back and tells why when a task fails (${how})`, async (subject) => {
      await change(subject, makeSpec(subject))
      const before = await observeOne(subject)
      const bad = makeSpec(subject, { generations: [DG_2], settings })
      await rejectsWith(change(subject, bad, subject.failureDeadlineMs ?? 3000), 'remote', new RegExp(words))
      assert.equal(await observeOne(subject), before)
    })
  }

  promise('starts no task beside one that has to end first', async (subject) => {
    const spec = makeSpec(subject, { replicas: 2, order: 'stop-first' })
    await change(subject, spec)
    const settings = { STUB_READY_AFTER_MS: '500' }
    let isOver = false
    const changing = change(subject, { ...spec, generations: [DG_2], settings })
    const over = () => {
      isOver = true
    }
    changing.then(over, over)
    while (!isOver) {
      await turn()
      const { tasks } = await observeOne(subject)
      const holding = tasks.filter(({ generations }) => generations.length > 0)
      assert.ok(holding.length <= 2, JSON.stringify(holding))
    }
    await changing
    const { tasks } = await observeOne(subject)
    assert.equal(
      tasks.map(({ state, generations }) => [state, generations]),
      [
        ['ready', [DG_2]],
        ['ready', [DG_2]],
      ],
    )
  })

  promise('puts the former spec back where tasks have to end first', async (subject) => {
    const spec = makeSpec(subject, { order: 'stop-first' })
    await change(subject, spec)
    const bad = { ...spec, generations: [DG_2], settings: FAILURES.crash }
    const failing = change(subject, bad, subject.failureDeadlineMs ?? 3000)
    await rejectsWith(failing, 'remote', /the index is upside down/)
    const { spec: observed, tasks } = await observeOne(subject)
    assert.equal(observed, spec)
    assert.equal(
      tasks.map(({ state, generations }) => [state, generations]),
      [['ready', [DG_1]]],
    )
  })

  promise('leaves nothing of a new service whose task fails', async (subject) => {
    await rejectsWith(change(subject, makeSpec(subject, { settings: FAILURES.crash })), 'remote')
    assert.equal(await subject.orchestrator.observe(NEVER), [])
  })

  promise('brings back the tasks of a service whose spec is equal', async (subject) => {
    await change(subject, makeSpec(subject))
    await subject.breakTask((await observeOne(subject)).tasks[0]!)
    await change(subject, makeSpec(subject))
    assert.ok(isReady(await observeOne(subject)))
  })

  promise(
    'does two changes of one service one after the other, in whichever order they come',
    async (subject) => {
      const generations = [[DG_1], [DG_1, DG_2]]
      await Promise.all(generations.map((each) => change(subject, makeSpec(subject, { generations: each }))))
      const { spec, tasks } = await observeOne(subject)
      assert.is(tasks.length, 1)
      assert.equal(tasks[0]?.generations, spec.generations)
    },
  )

  promise('removes a service, and succeeds when there is none', async (subject) => {
    await subject.orchestrator.remove('index_0', NEVER)
    await change(subject, makeSpec(subject))
    await subject.orchestrator.remove('index_0', NEVER)
    assert.equal(await subject.orchestrator.observe(NEVER), [])
    await subject.orchestrator.remove('index_0', NEVER)
  })

  promise('leaves other services alone', async (subject) => {
    await change(subject, makeSpec(subject))
    await change(subject, makeSpec(subject, { name: 'index_1', cluster: 1 }))
    await subject.orchestrator.remove('index_0', NEVER)
    assert.is((await observeOne(subject)).spec.name, 'index_1')
  })

  promise('asks one task on its own socket', async (subject) => {
    await change(subject, makeSpec(subject, { replicas: 2 }))
    for (const task of (await observeOne(subject)).tasks) {
      const status = (await subject.orchestrator.ask(task, '/v1/status', NEVER)) as Record<string, unknown>
      assert.is(status.task, task.id)
    }
  })

  promise('tells when a task answers anything but 200, or does not run', async (subject) => {
    await change(subject, makeSpec(subject))
    const [task] = (await observeOne(subject)).tasks
    await rejectsWith(subject.orchestrator.ask(task!, '/v1/nothing', NEVER), 'remote', /404/)
    await subject.orchestrator.remove('index_0', NEVER)
    await rejectsWith(subject.orchestrator.ask(task!, '/v1/status', NEVER), 'remote', /index_0/)
  })

  promise('shuts everything down, and succeeds when nothing runs', async (subject) => {
    await change(subject, makeSpec(subject))
    await subject.orchestrator.shutDown(NEVER)
    assert.equal(await subject.orchestrator.observe(NEVER), [])
    await subject.orchestrator.shutDown(NEVER)
  })

  promise('does nothing once it was interrupted', async (subject) => {
    const signal = AbortSignal.abort(new LongshoreError('interrupted', 'interrupted'))
    const { orchestrator } = subject
    await rejectsWith(orchestrator.observe(signal), 'interrupted')
    await rejectsWith(orchestrator.change(makeSpec(subject), { signal, deadlineMs: 1000 }), 'interrupted')
    assert.equal(await orchestrator.observe(NEVER), [])
  })
}

/** An index service of one task over both nodes of the subject, serving dg_1. */
export function makeSpec(
  { nodes }: Pick<OrchestratorSubject, 'nodes'>,
  overrides: Partial<ServiceSpec> = {},
): ServiceSpec {
  const spec = { name: 'index_0', kind: 'index', cluster: 0, replicas: 1, generations: [DG_1] } as const
  return { ...spec, nodes: [...nodes], settings: {}, ...overrides }
}

function change(
  { orchestrator }: OrchestratorSubject,
  spec: ServiceSpec,
  deadlineMs = 60_000,
): Promise<void> {
  return orchestrator.change(spec, { signal: NEVER, deadlineMs })
}

async function observeOne({ orchestrator }: OrchestratorSubject): Promise<ServiceState> {
  const services = await orchestrator.observe(NEVER)
  assert.is(services.length, 1)
  return services[0]!
}

function isReady({ tasks }: ServiceState): boolean {
  return tasks.length > 0 && tasks.every(({ state }) => state === 'ready')
}
