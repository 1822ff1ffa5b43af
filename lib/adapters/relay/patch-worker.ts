import { makePatch, type PatchOptions } from '../delta/make-patch.ts'
import { answerCalls } from '../generations/thread.ts'

const handlers = {
  make: (options: Omit<PatchOptions, 'signal' | 'onProgress'>) =>
    makePatch({ ...options, signal: new AbortController().signal }),
}
export type PatchHandlers = typeof handlers

answerCalls(handlers)
