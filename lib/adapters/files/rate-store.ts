import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { MeasuredRates } from '../../domain/measured-rates.ts'
import type { RateStore } from '../../ports/rate-store.ts'
import { hasCode, writeDurably } from './durable-files.ts'

/** Keeps rates in `<state>/delivery-rates.json`. A file that cannot be understood counts as none: it holds no decision. */
export function createRateStore(state: string): RateStore {
  const path = join(state, 'delivery-rates.json')
  let last: Promise<unknown> = Promise.resolve()
  return {
    read: () => readRates(path),
    async note(node, kind, rate) {
      const turn = last.then(async () => {
        const rates = await readRates(path)
        const noted: MeasuredRates = { ...rates, [node]: { ...rates[node], [kind]: rate } }
        await mkdir(dirname(path), { recursive: true })
        await writeDurably(path, `${JSON.stringify(noted, null, 2)}\n`)
      })
      last = turn.catch(() => undefined)
      await turn
    },
  }
}

async function readRates(path: string): Promise<MeasuredRates> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isRates(parsed) ? parsed : {}
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return {}
    throw error
  }
}

function isRates(value: unknown): value is MeasuredRates {
  const isMapping = (one: unknown): one is Record<string, unknown> => typeof one === 'object' && one !== null
  const isRate = (one: unknown) =>
    isMapping(one) && Number(one.bytesPerSecond) > 0 && typeof one.at === 'string'
  return (
    isMapping(value) &&
    Object.values(value).every((node) => isMapping(node) && Object.values(node).every(isRate))
  )
}
