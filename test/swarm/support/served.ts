import type { Lab } from '../lab/lab.ts'

type Status = { readonly generations: readonly { readonly name: string }[]; readonly isDraining: boolean }

/**
 * The generations that every task of a Swarm's service serves, by `node container`. Each is asked in its own container,
 * past the network and past all that the product keeps in mind; tasks that are being stopped are left out.
 */
export async function readServed(lab: Lab, service: string): Promise<Record<string, readonly string[]>> {
  const label = `label=com.docker.swarm.service.name=${service}`
  const asked = lab.nodes.map(async ({ name }) => {
    const ids = await lab.docker(name, 'ps', '--quiet', '--filter', label)
    return await Promise.all(
      ids
        .split('\n')
        .filter(Boolean)
        .map((id) => askTask(lab, name, id)),
    )
  })
  return Object.fromEntries((await Promise.all(asked)).flat(2))
}

async function askTask(lab: Lab, node: string, id: string): Promise<[string, string[]][]> {
  const text = await lab.docker(node, 'exec', id, 'node', 'services/ask.mjs', '/v1/status')
  const { generations, isDraining } = JSON.parse(text) as Status
  return isDraining ? [] : [[`${node} ${id}`, generations.map(({ name }) => name)]]
}
