/** Parts of the parameters that a service was created with. */
export type ServiceParameters = Readonly<
  Record<'input' | 'mllib' | 'output', Readonly<Record<string, unknown>>>
>

/** A service of a model server, as the server tells of it; left out is what its version does not tell. */
export type ModelService = {
  readonly name: string
  readonly description: string
  readonly mllib: string
  readonly type: string
  /** Directory of the model's files, as the server sees it. */
  readonly repository?: string
  readonly parameters?: ServiceParameters
  /** Predictions since it was created. */
  readonly stats?: { readonly successes: number; readonly failures: number }
}

/** A service as it shall be created, by the members of the server's own API. */
export type ServiceOrder = {
  readonly mllib: string
  readonly description: string
  readonly type: string
  readonly parameters: ServiceParameters
  readonly model: { readonly repository: string }
}

/** What of the repository goes with the service: nothing, the model's files, all files, or the directory too. */
export const CLEARS = ['mem', 'lib', 'full', 'dir'] as const
export type Clear = (typeof CLEARS)[number]
