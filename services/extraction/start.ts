import { LongshoreError } from '../../lib/domain/errors.ts'
import type { Model } from '../../lib/domain/model.ts'
import type { Log } from '../http/log.ts'
import { runService, type StartService } from '../http/run-service.ts'
import { createService, READY, type Readiness } from '../http/service.ts'
import { type Environment, readModel } from '../settings.ts'
import { createBuiltinEmbedding } from './builtin-embedding.ts'
import { addDeepdetectRoutes } from './deepdetect-routes.ts'
import type { Embedding } from './embedding.ts'
import { addInferRoutes } from './kserve-routes.ts'
import { prepareProtocol } from './model-routes.ts'
import { readOnnxSettings } from './onnx-settings.ts'
import { addPredictRoutes } from './tf-serving-routes.ts'

/**
 * Serves the built-in model, or the ONNX model of MODEL_DIR, behind TensorFlow Serving's REST API, KServe's protocol v2 and
 * DeepDetect's API; ready once the model is loaded and has embedded something. Raises `usage` without MODEL, and what opening an ONNX model does.
 */
export const startExtraction: StartService = async (settings, env, log) => {
  const model = readModel(env)
  if (!model) throw new LongshoreError('usage', 'MODEL: expected the JSON of a model, found nothing')
  const { embedding, loaded } = await createEmbedding(model, env, log)
  const readiness = (): Readiness => {
    const message = embedding.problem()
    return message === undefined ? READY : { isReady: false, code: 'loading', message }
  }
  const status = () => ({ model, ...embedding.status() })
  const base = createService(settings, log, { readiness, status })
  const served = { model, embedding }
  await base.app.register(async (app) => {
    prepareProtocol(app)
    addPredictRoutes(app, served)
    addInferRoutes(app, served, base.readiness)
  })
  await base.app.register(async (app) => addDeepdetectRoutes(app, served, { env, log }))
  return await runService(base, { settings, log, ...(loaded && { ready: loaded }) })
}

type Started = { readonly embedding: Embedding; readonly loaded?: Promise<void> }

/** What only an ONNX model needs is loaded only for one. */
async function createEmbedding(model: Model, env: Environment, log: Log): Promise<Started> {
  const options = readOnnxSettings(env, model)
  if (!options) return { embedding: createBuiltinEmbedding(model.dimensions) }
  const { createOnnxEmbedding } = await import('./onnx-embedding.ts')
  const embedding = await createOnnxEmbedding(options, log)
  return { embedding, loaded: embedding.loaded }
}
