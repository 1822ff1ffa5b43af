import type { Plan, Step } from '../domain/plan.ts'
import type { GateResult } from '../domain/quality.ts'

export type Progress = {
  /** What is going on, for example `read` or `deliver node-1`; one bar for each. */
  readonly task: string
  /** What this is a part of, shown with the sum of its parts where there are several. */
  readonly whole?: string
  readonly done: number
  /** Of these, what did not have to be carried. */
  readonly saved?: number
  /** Undefined while it is not known. */
  readonly total: number | undefined
  readonly unit: 'rows' | 'bytes'
}

export type StepEvent = {
  readonly step: Step
  readonly state: 'started' | 'done' | 'failed'
  readonly tookMs?: number
  readonly detail?: string
}

/** Hears the story that flows tell; terminal, plain and JSON are readers of it. */
export interface Reporter {
  plan(plan: Plan): void
  step(event: StepEvent): void
  progress(progress: Progress): void
  gates(title: string, results: readonly GateResult[]): void
  note(message: string): void
}
