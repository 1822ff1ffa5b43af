import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import { createSshShell } from '../../../lib/adapters/ssh/shell.ts'
import { createSshTransport } from '../../../lib/adapters/ssh/transport.ts'
import { describeTransport } from '../../contracts/transport.ts'
import { writeGenerationFiles } from '../../support/fakes/generation-files.ts'
import { flipByte, listAll } from '../../support/files.ts'
import { settingsFor, startSshd } from '../../support/sshd.ts'
import { makeTempDir } from '../../support/temp.ts'

const endings: (() => Promise<void> | void)[] = []

test.after.each(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

describeTransport('the SSH transport', async () => {
  const sshd = await startSshd()
  const root = makeTempDir()
  const home = (node: string) => join(root, node)
  const transport = createSshTransport({
    shell: createSshShell(settingsFor(sshd)),
    nodes: ['node-1', 'node-2'].map((name) => ({ name, directory: home(name) })),
    operationTimeoutMs: 10_000,
  })
  endings.push(
    () => sshd.stop(),
    () => transport.close(),
  )
  return {
    transport,
    nodes: ['node-1', 'node-2'],
    source: await writeGenerationFiles(makeTempDir(), 'dg_1'),
    namesake: await writeGenerationFiles(makeTempDir(), 'dg_1'),
    damageHeld: async (node, generation, path) => flipByte(join(home(node), generation, path)),
    damageSource: async ({ directory }, path) => flipByte(join(directory, path)),
    fill: async (node) => mountFull(home(node)),
    cut: () => sshd.stop(),
    hasTraces: async (node, generation) => listAll(home(node)).some((name) => name.includes(generation)),
  }
})

/** Puts a file system of 64 KiB without any room at a directory. */
function mountFull(directory: string): void {
  mkdirSync(directory, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', directory])
  endings.push(() => void execFileSync('umount', [directory]))
  writeFileSync(join(directory, 'ballast'), Buffer.alloc(64 * 1024))
}

test.run()
