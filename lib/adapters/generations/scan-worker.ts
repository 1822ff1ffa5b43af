import { scanItems } from './scan-items.ts'
import { scanVectors } from './scan-vectors.ts'
import { answerCalls } from './thread.ts'

const handlers = { scanVectors, scanItems }
export type ScanHandlers = typeof handlers

answerCalls(handlers)
