import { pipeline } from 'node:stream/promises'
import { execa } from 'execa'
import { createDockerImages } from '../../../lib/adapters/docker/images.ts'
import type { Lab } from './lab.ts'

/**
 * Puts the image of the services, made of this machine's Node.js, on every node of a lab, past its network; resolves to
 * the image's name.
 */
export async function bringImage(lab: Lab): Promise<string> {
  const [first, ...others] = lab.nodes
  if (!first) throw new Error('the lab has no node')
  const { signal } = new AbortController()
  const images = createDockerImages({ host: `unix://${first.socket}` })
  const name = await images.identify({ kind: 'machine' })
  if (!(await images.has(name, signal))) await images.build(name, { kind: 'machine' }, signal)
  await Promise.all(
    others.map(async ({ socket }) => {
      const host = `unix://${socket}`
      if (await createDockerImages({ host }).has(name, signal)) return
      const loading = execa('docker', ['--host', host, 'load', '--quiet'], { stdin: 'pipe' })
      await pipeline(images.read(name, signal), loading.stdin)
      await loading
    }),
  )
  return name
}
