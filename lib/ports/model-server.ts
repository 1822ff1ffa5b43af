import type { Clear, ModelService, ServiceOrder } from '../domain/model-service.ts'

/** One answer to `POST /predict`: the predictions, each with its classes or its values, or why there are none. */
export type PredictAnswer = {
  readonly tookMs: number
  readonly predictions: readonly Readonly<Record<string, unknown>>[]
  readonly problem?: string
}

/** A server of models with DeepDetect's API. Every method raises `remote` where it gives no answer of that API. */
export interface ModelServer {
  /** Its version, and the names of its services. */
  describe(signal: AbortSignal): Promise<{ readonly version: string; readonly services: readonly string[] }>
  /** Undefined where there is no such service. */
  find(name: string, signal: AbortSignal): Promise<ModelService | undefined>
  /** False, and nothing is changed, where there is one of that name. Raises `remote` with the server's reason for refusing. */
  create(name: string, order: ServiceOrder, signal: AbortSignal): Promise<boolean>
  /** False where there was none. Raises `remote` where the server failed to clear, and keeps the service. */
  remove(name: string, clear: Clear, signal: AbortSignal): Promise<boolean>
  /** A prediction by the body of such a request, for this service; what the server refuses is a problem in the answer. */
  predict(
    service: string,
    body: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<PredictAnswer>
}
