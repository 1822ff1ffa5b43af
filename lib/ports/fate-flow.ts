import type { FateResponse } from '../domain/fate/response.ts'

export type ImportRequest = {
  /** The archive on this machine. */
  readonly file: string
  readonly role: string
  readonly partyId: number
  readonly modelId: string
  readonly modelVersion: string
  readonly isForced: boolean
  readonly sha256: string | undefined
}

/** A FATE-Flow server, 1.5.1 to 1.11, asked over HTTP. Every method raises `remote` for a server that gives no answer of its kind. */
export interface FateFlow {
  migrate(config: string, signal: AbortSignal): Promise<FateResponse>
  import(request: ImportRequest, signal: AbortSignal): Promise<FateResponse>
  close(): Promise<void>
}
