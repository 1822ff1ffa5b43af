import { LongshoreError } from '../domain/errors.ts'
import { findBlame, findServiceProblem } from '../domain/fleet.ts'
import type { GenerationRef } from '../domain/generation.ts'
import type { Task } from '../domain/service.ts'
import type { Session } from './session.ts'

/**
 * Asks every task of an index service whether it answers the golden queries of a generation. Raises `remote` in the
 * task's own words when one is not ready, has another digest, or does not pass.
 */
export async function checkTasks(
  session: Session,
  service: string,
  generation: GenerationRef,
): Promise<void> {
  const { orchestrator } = session.context
  const services = await orchestrator.observe(session.signal)
  const state = services.find(({ spec }) => spec.name === service)
  if (!state)
    throw new LongshoreError('remote', `${service} was removed by somebody else`, { blame: 'fleet' })
  const problem = findServiceProblem(state)
  if (problem) throw new LongshoreError('remote', problem, { blame: findBlame([state]) })
  const ready = state.tasks.filter((task) => task.state === 'ready')
  await Promise.all(ready.map((task) => checkTask(session, task, generation)))
}

async function checkTask(session: Session, task: Task, { name, digest }: GenerationRef): Promise<void> {
  const { orchestrator } = session.context
  const answer = (await orchestrator.ask(task, `/v1/check/${name}`, session.signal)) as {
    digest?: unknown
    passed?: unknown
    problem?: unknown
  }
  const where = `${task.id} on ${task.node}`
  if (answer.digest !== digest) {
    throw new LongshoreError(
      'remote',
      `${where} holds ${name} with digest ${answer.digest}, expected ${digest}`,
    )
  }
  if (answer.passed === true) return
  throw new LongshoreError(
    'remote',
    `${where} does not answer golden queries of ${name} rightly: ${answer.problem ?? 'no reason told'}`,
  )
}
