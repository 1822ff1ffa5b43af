import { LongshoreError } from '../../domain/errors.ts'
import type { RemoteShell } from '../../ports/remote-shell.ts'
import type { Repositories } from '../../ports/repositories.ts'
import { copyFiles, inspectFiles, listFiles } from '../local/repository-files.ts'
import { copyRemoteFiles, inspectRemoteFiles } from './repository-files.ts'

export type RepositoriesSettings = {
  /** The way to nodes, where nodes are machines of their own. */
  readonly shell: RemoteShell | undefined
  readonly operationTimeoutMs: number
}

/** Repositories of this machine, and of nodes that have sshd and coreutils. */
export function createRepositories({ shell, operationTimeoutMs }: RepositoriesSettings): Repositories {
  const reach = (node: string, directory: string) => {
    if (shell) return { shell, node, directory, operationTimeoutMs }
    throw new LongshoreError(
      'usage',
      `target.node ${node}: the engine local has no nodes that are machines`,
      {
        hint: 'leave target.node out where the target lies on this machine',
      },
    )
  }
  return {
    list: listFiles,
    inspect: ({ node, directory }, files, signal) =>
      node === undefined
        ? inspectFiles(directory, files, signal)
        : inspectRemoteFiles(reach(node, directory), files, signal),
    copy: (from, { node, directory }, files, options) =>
      node === undefined
        ? copyFiles(from, directory, files, options)
        : copyRemoteFiles(from, reach(node, directory), files, options),
  }
}
