import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { eventually } from '../../support/eventually.ts'
import { findFreePort } from '../../support/free-port.ts'
import { makeTempDir } from '../../support/temp.ts'

/** Debian's registry, on an address that the nodes of a lab reach. */
export async function startRegistry(address: string): Promise<{ url: string; stop(): Promise<void> }> {
  const url = `${address}:${await findFreePort()}`
  const directory = makeTempDir()
  const settings = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: join(directory, 'data') } },
    http: { addr: url },
  }
  await writeFile(join(directory, 'config.json'), JSON.stringify(settings))
  const serving = execa('docker-registry', ['serve', join(directory, 'config.json')], {
    reject: false,
    all: true,
  })
  await eventually(async () => {
    const { status } = await fetch(`http://${url}/v2/`)
    if (status !== 200) throw new Error(`the registry answers ${status}`)
  })
  return {
    url,
    async stop() {
      serving.kill()
      await serving
    },
  }
}
