import { rename, writeFile } from 'node:fs/promises'
import { messageOf } from '../../domain/errors.ts'

/** Where the ready tasks of each service are reached, for services that ask other services. */
export type EndpointsFile = {
  /** Has the file follow a change soon; never fails. */
  refresh(): void
  /** Resolves when the file is as the services were at the last refresh. */
  settled(): Promise<void>
  close(): Promise<void>
}

/** A file of `{"index_0":["http://127.0.0.1:4001"]}` that readers always find whole, rewritten when `list` tells something new. */
export function createEndpointsFile(path: string, list: () => Record<string, string[]>): EndpointsFile {
  let written: string | undefined
  let writing: Promise<void> | undefined
  let isClosed = false
  const write = async () => {
    for (let text = render(list()); text !== written && !isClosed; text = render(list())) {
      await writeFile(`${path}.tmp`, text)
      await rename(`${path}.tmp`, path)
      written = text
    }
  }
  const refresh = () => {
    writing ??= write()
      .catch((error: unknown) => console.log(`cannot write ${path}: ${messageOf(error)}`))
      .finally(() => {
        writing = undefined
      })
  }
  return {
    refresh,
    settled: async () => writing,
    close: async () => {
      isClosed = true
      await writing
    },
  }
}

function render(endpoints: Record<string, string[]>): string {
  return `${JSON.stringify(endpoints, null, 2)}\n`
}
