import { LongshoreError } from '../../domain/errors.ts'
import { describeExperiment, type ExperimentRun } from '../../domain/experiment-run.ts'
import type { RunFacts } from '../../domain/run-metrics.ts'
import type { RunSink } from '../../ports/run-sink.ts'
import { createHttpClient, hideUser } from '../http/client.ts'

export type MlflowSettings = {
  readonly url: string
  readonly experiment: string
  /** Sent as a bearer token. */
  readonly token?: string | undefined
}

/** For all requests of a run together: a tracker that hangs holds a command up for no longer. */
const TIMEOUT_MS = 15_000

type Ask = (path: string, body: unknown) => Promise<Record<string, unknown>>

/** Logs splits and migrations as runs of an MLflow experiment, which is made when it is missing. */
export function createMlflowSink({ url, experiment, token }: MlflowSettings): RunSink {
  return {
    key: 'mlflow.url',
    async take(facts) {
      const run = describeExperiment(facts)
      if (!run) return
      const client = createHttpClient()
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
      const ask: Ask = async (path, body) => {
        const place = `${url.replace(/\/$/, '')}/api/2.0/mlflow/${path}`
        const asked = { body: JSON.stringify(body), contentType: 'application/json', headers, signal }
        const reply = await client.post(place, asked)
        const answer = parseAnswer(reply.body)
        if (reply.status === 200) return answer
        const said = answer.error_code === undefined ? '' : `: ${answer.error_code}: ${answer.message}`
        throw new LongshoreError('remote', `${hideUser(place)} answered ${reply.status}${said}`, { answer })
      }
      try {
        await logRun(ask, { experiment, run, facts })
      } finally {
        await client.close()
      }
    },
  }
}

type Logged = { readonly experiment: string; readonly run: ExperimentRun; readonly facts: RunFacts }

async function logRun(ask: Ask, { experiment, run, facts }: Logged): Promise<void> {
  const { at, tookMs, exitCode } = facts
  const created = await ask('runs/create', {
    experiment_id: await findExperiment(ask, experiment),
    run_name: run.name,
    start_time: at - tookMs,
    tags: [{ key: 'mlflow.source.name', value: 'longshore' }],
  })
  const { run_id } = (created.run as { info: { run_id: string } }).info
  const metrics = run.metrics.map((metric) => ({ ...metric, timestamp: at, step: 0 }))
  await ask('runs/log-batch', { run_id, params: run.params, metrics })
  await ask('runs/update', { run_id, status: exitCode === 0 ? 'FINISHED' : 'FAILED', end_time: at })
}

/** The id of an experiment by its name. Another command may make it at the same moment. */
async function findExperiment(ask: Ask, name: string): Promise<string> {
  const find = async () => {
    const asked = { filter: `name = '${name}'`, max_results: 1 }
    const { experiments = [] } = await ask('experiments/search', asked)
    return (experiments as { experiment_id: string }[])[0]?.experiment_id
  }
  const known = await find()
  if (known !== undefined) return known
  try {
    return (await ask('experiments/create', { name })).experiment_id as string
  } catch (error) {
    const made = await find()
    if (made === undefined) throw error
    return made
  }
}

function parseAnswer(body: Buffer): Record<string, unknown> {
  try {
    return JSON.parse(body.toString('utf8')) as Record<string, unknown>
  } catch {
    return { error_code: 'NO_JSON', message: body.toString('utf8').slice(0, 200) }
  }
}
