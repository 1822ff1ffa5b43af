import type { FrameLimits } from '../../lib/adapters/relay/frames.ts'

/** What one relay asks of another: a piece, or no longer to send one that it has asked for. */
export type PeerQuestion = { readonly want: number } | { readonly drop: number }

/** The body is the piece, unless there is a `problem`. Answers come in the order of the questions. */
export type PeerAnswer = { readonly piece: number; readonly problem?: string }

export const QUESTION_LIMITS: FrameLimits = { headerBytes: 64, bodyBytes: 0 }
export const ANSWER_HEADER_BYTES = 1024
