/** Files of metrics that others collect. */
export interface MetricsFiles {
  /** Null where there is none. */
  read(name: string): Promise<string | null>
  /** Replaces a file at once. */
  write(name: string, text: string): Promise<void>
}
