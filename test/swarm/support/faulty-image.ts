import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../../support/shared.ts'
import { makeTempDir } from '../../support/temp.ts'
import type { Lab } from '../lab/lab.ts'
import { run } from '../lab/quiet.ts'
import type { Fault } from './faulty-main.ts'

/** Makes, on every node, the image whose index services misbehave with some generations; resolves to its name. */
export async function buildFaultyImage(lab: Lab, image: string): Promise<string> {
  const name = `${image}-faulty`
  const directory = makeTempDir()
  await writeFile(join(directory, 'Dockerfile'), `FROM ${image}\nCOPY *.ts services/\n`)
  await cp(join(ROOT, 'services/main.ts'), join(directory, 'shipped-main.ts'))
  await cp(join(ROOT, 'test/swarm/support/faulty-main.ts'), join(directory, 'main.ts'))
  await run`chmod a+r ${directory}/main.ts ${directory}/shipped-main.ts`
  await Promise.all(
    lab.nodes.map(
      ({ socket }) => run`docker --host ${`unix://${socket}`} build --quiet --tag ${name} ${directory}`,
    ),
  )
  return name
}

/** Tells every node which generations its index services misbehave with from now on. */
export async function writeFaults(lab: Lab, faults: Readonly<Record<string, Fault>>): Promise<void> {
  const write = 'printf %s "$1" > /var/lib/longshore/faults.json'
  await Promise.all(
    lab.nodes.map(({ name }) => lab.exec(name, ['sh', '-c', write, 'sh', JSON.stringify(faults)])),
  )
}

/** Overwrites the vectors of a generation on one node, as a disk does that goes bad; their sizes stay. */
export async function spoilCopy(lab: Lab, node: string, generation: string): Promise<void> {
  const spoil =
    'for f in "$1"/clust_*/vectors.npy; do dd if=/dev/urandom of="$f" bs=4096 seek=1 count=4 conv=notrunc; done'
  await lab.exec(node, ['sh', '-c', spoil, 'sh', `/var/lib/longshore/${generation}`])
}
