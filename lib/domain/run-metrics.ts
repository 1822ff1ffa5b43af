/** How a command ended, for those who watch. */
export type RunFacts = {
  readonly profile: string
  /** `update-indices` */
  readonly command: string
  readonly outcome: string
  readonly exitCode: number
  readonly tookMs: number
  /** When it ended, in milliseconds since the epoch. */
  readonly at: number
  /** Members of its answer, of which some are measures. */
  readonly answer: Readonly<Record<string, unknown>>
}

const SUCCESS = 'longshore_run_success_timestamp_seconds'

/** The name of the file of a command's last run; the collector of node_exporter reads those that end so. */
export function nameRunFile({ profile, command }: Pick<RunFacts, 'profile' | 'command'>): string {
  return `longshore_${profile}_${command}.prom`
}

/** The metrics of a run in Prometheus' text format. The time of the last success is taken over from the `former` text. */
export function renderRunMetrics(facts: RunFacts, former: string | null): string {
  const { profile, command, outcome, exitCode, tookMs, at, answer } = facts
  const success = exitCode === 0 ? at / 1000 : readSuccess(former)
  const labels = `profile="${profile}",command="${command}"`
  const render = (name: string, help: string, value: number | undefined, more = '') =>
    value === undefined
      ? ''
      : `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name}{${labels}${more}} ${value}\n`
  return [
    render('longshore_run_timestamp_seconds', 'When the command ended last', at / 1000),
    render(SUCCESS, 'When it ended last with exit code 0', success),
    render('longshore_run_exit_code', 'Exit code of the last run', exitCode),
    render('longshore_run_outcome', 'Outcome of the last run; always 1', 1, `,outcome="${outcome}"`),
    render('longshore_run_duration_seconds', 'Time of the last run', tookMs / 1000),
    render('longshore_run_bytes', 'Bytes that the last run sent', readNumber(answer.bytesSent)),
    render('longshore_run_generation', 'Number N of its generation dg_N', readGeneration(answer.generation)),
  ].join('')
}

function readSuccess(former: string | null): number | undefined {
  return readNumber(Number(new RegExp(`^${SUCCESS}\\{.*\\} (\\S+)$`, 'm').exec(former ?? '')?.[1]))
}

function readGeneration(name: unknown): number | undefined {
  return typeof name === 'string' ? readNumber(Number(/^dg_(\d+)$/.exec(name)?.[1])) : undefined
}

function readNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
