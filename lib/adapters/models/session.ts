import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { InferenceSession } from 'onnxruntime-node'
import { LongshoreError, messageOf } from '../../domain/errors.ts'

export type Device = 'auto' | 'cpu' | 'gpu'

export type SessionOptions = {
  /** Path of model.onnx. */
  readonly graph: string
  readonly device: Device
  /** Threads that one run on the CPU takes. */
  readonly threads: number
}

export type OpenSession = {
  readonly session: InferenceSession
  readonly device: 'cpu' | 'gpu'
  /** Why the GPU is not used although it might have been. */
  readonly note: string | undefined
}

const CUDA_LIBRARY = 'libonnxruntime_providers_cuda.so'
/** Only what ends the process: errors are thrown as well, and would stand in the log in a form of their own. */
const LOG_LEVEL = 4

/**
 * Opens a graph on the device that is asked for; `auto` takes the GPU where it can be had. Raises `usage` where `gpu` cannot, and for a
 * file that is no model.
 */
export async function openSession({ graph, device, threads }: SessionOptions): Promise<OpenSession> {
  const onCpu = async (note?: string): Promise<OpenSession> => ({
    session: await create(graph, { executionProviders: ['cpu'], intraOpNumThreads: threads }),
    device: 'cpu',
    note,
  })
  if (device === 'cpu') return await onCpu()
  const session = await openOnGpu(graph)
  if (!('problem' in session)) return { session, device: 'gpu', note: undefined }
  if (device === 'auto') return await onCpu(`the GPU cannot be used: ${session.problem}`)
  throw new LongshoreError('usage', `device: gpu cannot be had: ${session.problem}`, {
    hint: 'device: cpu or auto in the profile, or an image and a node with CUDA',
  })
}

async function openOnGpu(graph: string): Promise<InferenceSession | { readonly problem: string }> {
  if (!hasCudaLibrary()) return { problem: `onnxruntime has no ${CUDA_LIBRARY} here` }
  try {
    return await InferenceSession.create(graph, {
      executionProviders: ['cuda'],
      logSeverityLevel: LOG_LEVEL,
    })
  } catch (error) {
    return { problem: messageOf(error) }
  }
}

async function create(graph: string, options: InferenceSession.SessionOptions): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(graph, { ...options, logSeverityLevel: LOG_LEVEL })
  } catch (error) {
    throw new LongshoreError('usage', `${graph}: expected an ONNX model: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** Without it, trying would write of it to stderr in a form of its own. */
function hasCudaLibrary(): boolean {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node')
  const directory = join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch)
  return existsSync(join(directory, CUDA_LIBRARY))
}
