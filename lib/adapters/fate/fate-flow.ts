import { openAsBlob } from 'node:fs'
import { basename } from 'node:path'
import { Agent, FormData, request } from 'undici'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { FateResponse } from '../../domain/fate/response.ts'
import type { FateFlow, ImportRequest } from '../../ports/fate-flow.ts'
import { hasCode } from '../files/durable-files.ts'
import { hideUser } from '../http/client.ts'

const CONNECT_MS = 10_000
/** A migration answers when it is done; that of a large model takes minutes. */
const ANSWER_MS = 30 * 60_000
/** The longest answer that is quoted. */
const MOST_QUOTED = 200

type Question = { readonly path: string; readonly body: string | FormData; readonly signal: AbortSignal }

/** A FATE-Flow server at an address such as `http://fate:9380`. */
export function createFateFlow(url: string): FateFlow {
  const dispatcher = new Agent({
    connect: { timeout: CONNECT_MS },
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
  })
  const ask = async ({ path, body, signal }: Question): Promise<FateResponse> => {
    const address = `${url.replace(/\/+$/, '')}${path}`
    const fail = (problem: string, cause?: unknown) =>
      new LongshoreError('remote', `${hideUser(address)}: ${problem}`, {
        hint: 'see whether FATE-Flow answers there, version 1.5.1 to 1.11; --server names its address',
        cause,
      })
    try {
      const headers = typeof body === 'string' ? { 'content-type': 'application/json' } : {}
      const reply = await request(address, { method: 'POST', headers, body, signal, dispatcher })
      return parseResponse(await reply.body.text(), reply.statusCode, fail)
    } catch (error) {
      signal.throwIfAborted()
      throw error instanceof LongshoreError ? error : fail(messageOf(error), error)
    }
  }
  return {
    migrate: (config, signal) => ask({ path: '/v1/model/migrate', body: config, signal }),
    import: async (order, signal) => ask({ path: '/v1/model/import', body: await createForm(order), signal }),
    close: () => dispatcher.destroy(),
  }
}

/** The archive stays on disk until its bytes are sent. */
async function createForm(order: ImportRequest): Promise<FormData> {
  const form = new FormData()
  const fields = {
    role: order.role,
    party_id: String(order.partyId),
    model_id: order.modelId,
    model_version: order.modelVersion,
    force_update: order.isForced ? '1' : '0',
    ...(order.sha256 !== undefined && { hash: order.sha256 }),
  }
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  form.set('file', await openBlob(order.file), basename(order.file))
  return form
}

async function openBlob(path: string): Promise<Blob> {
  try {
    return await openAsBlob(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ERR_INVALID_ARG_VALUE')) throw error
    throw new LongshoreError('not-found', `${path}: no such file`, { cause: error })
  }
}

function parseResponse(
  text: string,
  status: number,
  fail: (problem: string, cause?: unknown) => LongshoreError,
): FateResponse {
  try {
    const value = JSON.parse(text) as FateResponse
    if (typeof value?.retcode === 'number') return { ...value, retmsg: String(value.retmsg ?? '') }
  } catch (error) {
    throw fail(`HTTP ${status} without JSON: ${text.slice(0, MOST_QUOTED)}`, error)
  }
  throw fail(`HTTP ${status} without a retcode: ${text.slice(0, MOST_QUOTED)}`)
}
