/** Where services are reached from outside. */
export interface Publishing {
  /** Why nothing new can be published at an address, in the system's own words; undefined when it is free. */
  findProblem(host: string, port: number): Promise<string | undefined>
}
