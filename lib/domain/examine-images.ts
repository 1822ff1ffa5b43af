import { type Finding, fail, orOk, warn } from './finding.ts'

/** Whether a node has the image of the services; `architecture` of the node is null where its engine does not answer. */
export type ImageReport = {
  readonly name: string
  readonly architecture: string | null
  readonly image: { readonly id: string; readonly architecture: string } | null
}

const BRING = 'npx zx scripts/image.mjs --profile FILE brings it to every node'

/** Findings on nodes that lack the image, have another one of that name, or cannot run it. */
export function examineImages(reports: readonly ImageReport[], image: string): Finding[] {
  if (image === '') {
    const hint = 'npx zx scripts/image.mjs --profile FILE brings it to the nodes and prints its name'
    return [fail('image', 'swarm.image: missing in the profile; expected the image of the services', hint)]
  }
  const answering = reports.filter(({ architecture }) => architecture !== null)
  const ids = new Set(answering.flatMap((report) => report.image?.id ?? []))
  const findings = answering.flatMap((report) => examineImage(report, image))
  if (ids.size > 1) {
    const detail = `nodes have ${ids.size} different images called ${image}`
    findings.push(warn('image', detail, `remove those that are wrong (docker image rm), then ${BRING}`))
  }
  if (answering.length === 0) return []
  return orOk(findings, 'image', `${image} is on ${answering.map(({ name }) => name).join(', ')}`)
}

function examineImage({ name, architecture, image: found }: ImageReport, image: string): Finding[] {
  if (!found) return [describeMissing(name, image)]
  if (found.architecture === architecture) return []
  const detail = `${image} on ${name} is made for ${found.architecture}, its engine runs ${architecture}`
  return [fail('image', detail, `build it for ${architecture} too, or take ${name} out of the profile`)]
}

function describeMissing(name: string, image: string): Finding {
  if (!isInRegistry(image)) return fail('image', `${name} does not have ${image}`, BRING)
  const detail = `${name} does not have ${image} yet: its first task there waits until it has been pulled`
  return warn('image', detail, `docker pull ${image} on ${name}, or: ${BRING}`)
}

/** Whether a name begins with a host, as `docker` sees it. */
function isInRegistry(image: string): boolean {
  const [first = '', ...rest] = image.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
}
