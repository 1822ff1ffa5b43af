import type { Input } from './input.ts'

/** What an address gave. */
export type Fetched = {
  readonly bytes: Uint8Array
  /** Without parameters, in lower case: `image/png`. */
  readonly mediaType: string
}

/** Gets what an address stands for. */
export interface ItemFetcher {
  /** Raises LongshoreError `remote` in words for a dead letter: status, size, time, kind of content, redirects. */
  fetch(url: string, signal: AbortSignal): Promise<Fetched>
}

/** Opens everything that items may come from. */
export interface ItemSources {
  /** A file, a directory, an `http(s)` address, or `-` for JSON lines on stdin. Raises as InputSource.open. */
  open(source: string): Promise<Input>
}
