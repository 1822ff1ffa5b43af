export type RunOptions = {
  /** What the command reads; it reads nothing where left out. */
  readonly stdin?: AsyncIterable<Uint8Array> | string
  readonly signal: AbortSignal
  /** Hears what the command prints as soon as it comes; the result then holds nothing of it. */
  readonly onStdout?: (block: Uint8Array) => void
  /** How long the command may take from start to end, in milliseconds; without a limit where left out. */
  readonly timeoutMs?: number
}

/** How a command ended; any exit code is a result. A command that a signal ended has 128 plus the signal's number. */
export type RunResult = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** Runs commands on nodes. */
export interface RemoteShell {
  /**
   * Runs a program with exactly these arguments, without a terminal. Raises `remote` naming the node when it cannot be
   * reached, is lost meanwhile or passes the time limit, `usage` for a node or a key that is not known, and what
   * `signal` aborts with (`interrupted`); the command is ended in each of these cases as far as the node can be reached.
   */
  run(node: string, argv: readonly string[], options: RunOptions): Promise<RunResult>
  /** Ends what still runs and closes every connection. */
  close(): Promise<void>
}
