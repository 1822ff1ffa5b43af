/** Hands what stands on record to the consoles of gateways that cannot look for themselves. */
export interface ConsoleFeed {
  /** To every gateway behind an address. Raises `remote` when none takes it, `usage` without a token. */
  publish(gateway: string, facts: unknown, signal: AbortSignal): Promise<void>
}
