/** Changes a service as a command would: `node change-service.ts STATE SPEC [DEADLINE_MS]`. */
import { createLocalOrchestrator } from '../../lib/adapters/local/orchestrator.ts'
import { ROOT } from './shared.ts'

const [state = '', spec = '', deadlineMs = '20000'] = process.argv.slice(2)
const orchestrator = createLocalOrchestrator({ state, entry: `${ROOT}test/support/stub-service.ts` })
const { signal } = new AbortController()
await orchestrator.change(JSON.parse(spec), { signal, deadlineMs: Number(deadlineMs) })
