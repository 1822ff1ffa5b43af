import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createSshTransport } from '../../../lib/adapters/ssh/transport.ts'
import type { RemoteShell } from '../../../lib/ports/remote-shell.ts'
import { rejectsWith } from '../../support/errors.ts'
import { writeGenerationFiles } from '../../support/fakes/generation-files.ts'
import { flipByte } from '../../support/files.ts'
import { makeTempDir } from '../../support/temp.ts'

/** A shell, and of coreutils no more than these. */
const PROGRAMS = 'sh env cat head tail stat sync sha256sum mv rm mkdir df du dirname tr ln'.split(' ')
const NEVER = new AbortController().signal

for (const others of [[], ['openssl']]) {
  test(`delivers, finds damage and mends it on a node with a shell, coreutils ${others.map((name) => `and ${name}`)}`, async () => {
    const home = join(makeTempDir(), 'node')
    const transport = createSshTransport({
      shell: createLocalShell([...PROGRAMS, ...others]),
      nodes: [{ name: 'node-1', directory: home }],
      operationTimeoutMs: 10_000,
    })
    const { directory, manifest } = await writeGenerationFiles(makeTempDir(), 'dg_1')
    await transport.deliver('node-1', directory, manifest, { signal: NEVER })
    await transport.verify('node-1', manifest, NEVER)
    flipByte(join(home, 'dg_1/clust_1/vectors.npy'))
    await rejectsWith(transport.verify('node-1', manifest, NEVER), 'corrupt', /clust_1\/vectors\.npy/)
    await transport.deliver('node-1', directory, manifest, { signal: NEVER })
    await transport.verify('node-1', manifest, NEVER)
    const { generations, taken } = await transport.inspect('node-1', NEVER)
    assert.equal(generations, [{ name: 'dg_1', digest: manifest.digest }])
    assert.ok((taken?.dg_1 ?? 0) > 0)
    await transport.remove('node-1', 'dg_1', NEVER)
    assert.not.ok(existsSync(join(home, 'dg_1')))
  })
}

test.run()

/** Runs commands on this machine, as on a node that has these programs and no others. */
function createLocalShell(programs: readonly string[]): RemoteShell {
  const path = join(makeTempDir(), 'bin')
  mkdirSync(path)
  for (const name of programs) {
    const found = execFileSync('sh', ['-c', 'command -v -- "$1"', 'sh', name], { encoding: 'utf8' })
    symlinkSync(found.trim(), join(path, name))
  }
  return {
    async run(_node, [program, ...args], { stdin = '' }) {
      const child = spawn(join(path, program!), args, { env: { PATH: path } })
      const blocks = typeof stdin === 'string' ? [stdin] : stdin
      const [[code], stdout, stderr] = await Promise.all([
        once(child, 'close'),
        text(child.stdout),
        text(child.stderr),
        // A program may end before it has read all that it is told.
        pipeline(Readable.from(blocks), child.stdin).catch(() => undefined),
      ])
      return { code: code as number, stdout, stderr }
    },
    close: async () => undefined,
  }
}
