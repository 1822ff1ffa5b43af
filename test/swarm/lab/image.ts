import { createWriteStream, existsSync, globSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createDockerImages } from '../../../lib/adapters/docker/images.ts'
import { ROOT } from '../../support/shared.ts'
import type { Lab } from './lab.ts'
import type { LabNode } from './layout.ts'
import { run } from './quiet.ts'

/** Where the newest image stays from one lab to the next; `npm ci` clears it. */
const CACHE = join(ROOT, 'node_modules/.cache/lab')
const NEVER = new AbortController().signal

/**
 * Puts the image of the services, made of this machine's Node.js, on every node of a lab, past its network; resolves to
 * the image's name. It is built in the first lab that lacks it, and loaded from a file in those that come after.
 */
export async function bringImage(lab: Lab): Promise<string> {
  const [first] = lab.nodes
  if (!first) throw new Error('the lab has no node')
  const name = await imagesOf(first).identify({ kind: 'machine' })
  const archive = join(CACHE, `${name.replace(':', '-')}.tar`)
  if (!existsSync(archive)) await archiveImage(first, name, archive)
  await Promise.all(
    lab.nodes.map(async (node) => {
      if (await imagesOf(node).has(name, NEVER)) return
      await run`docker --host ${`unix://${node.socket}`} load --quiet --input ${archive}`
    }),
  )
  return name
}

async function archiveImage(node: LabNode, name: string, archive: string): Promise<void> {
  const images = imagesOf(node)
  if (!(await images.has(name, NEVER))) await images.build(name, { kind: 'machine' }, NEVER)
  await mkdir(CACHE, { recursive: true })
  const partial = `${archive}.${process.pid}.partial`
  try {
    await pipeline(images.read(name, NEVER), createWriteStream(partial))
    await rename(partial, archive)
  } finally {
    await rm(partial, { force: true })
  }
  const former = globSync(join(CACHE, '*.tar')).filter((path) => path !== archive)
  for (const path of former) await rm(path, { force: true })
}

function imagesOf({ socket }: LabNode) {
  return createDockerImages({ host: `unix://${socket}` })
}
