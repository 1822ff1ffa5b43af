import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { type RunningScript, startScript } from '../../support/fleet.ts'
import { makeTempDir } from '../../support/temp.ts'
import type { SwarmFleet } from './swarm-fleet.ts'

/**
 * A colleague's machine: a home directory with the profile, a key and the known hosts, and nothing else, above all no
 * generation. Resolves to a way to start scripts there, with `--yes` and `--json`.
 */
export async function createOtherOperator({ lab, profile }: SwarmFleet): Promise<SwarmFleet['start']> {
  const home = makeTempDir()
  const [{ key, knownHosts }] = lab.nodes as [SwarmFleet['lab']['nodes'][number]]
  await mkdir(join(home, '.ssh'), { mode: 0o700 })
  await cp(key, join(home, '.ssh/id_ed25519'))
  await cp(knownHosts, join(home, '.ssh/known_hosts'))
  const { generations: _none, ssh: _ssh, ...members } = parse(await readFile(profile, 'utf8'))
  const own = join(home, 'swarm.yml')
  await writeFile(own, stringify({ ...members, ssh: { identityFile: '~/.ssh/id_ed25519' } }))
  return (script: string, ...args: string[]): RunningScript =>
    startScript(script, [...args, '--profile', own, '--yes', '--json'], {
      cwd: home,
      env: { HOME: home },
      timeoutMs: 240_000,
    })
}
