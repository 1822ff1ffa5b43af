import { answerCalls } from '../generations/thread.ts'
import type { Job } from './codec.ts'
import { type OnnxModel, type OnnxOptions, type Outcome, openOnnxModel } from './onnx-model.ts'

/** Runs a model: onnxruntime blocks the thread that asks it, and so does a tokenizer. */
let opened: OnnxModel | undefined

const handlers = {
  async open(options: OnnxOptions): Promise<Pick<OnnxModel, 'device' | 'note'>> {
    opened = await openOnnxModel(options)
    return { device: opened.device, note: opened.note }
  },

  embed: (jobs: readonly Job[]): Promise<Outcome[]> => opened!.embed(jobs),
}
export type ModelHandlers = typeof handlers

answerCalls(handlers)
