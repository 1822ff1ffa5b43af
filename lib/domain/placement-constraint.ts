import type { Member } from './swarm-members.ts'

/** Whether a node meets a constraint as `docker service create --constraint` takes it; a label that is not there is empty. */
export function isMet(constraint: string, member: Member): boolean {
  const [, key, operator, wanted = ''] = /^\s*(.*?)\s*(==|!=)\s*(.*?)\s*$/.exec(constraint) ?? []
  if (key === undefined) return false
  const isEqual = readKey(key, member).toLowerCase() === wanted.toLowerCase()
  return operator === '!=' ? !isEqual : isEqual
}

const LABEL = 'node.labels.'

function readKey(key: string, member: Member): string {
  if (key.startsWith(LABEL)) return member.labels[key.slice(LABEL.length)] ?? ''
  const { id, name, role, platform } = member
  const values: Readonly<Record<string, string>> = {
    'node.id': id,
    'node.hostname': name,
    'node.role': role,
    'node.platform.os': platform.os,
    'node.platform.arch': platform.architecture,
  }
  return values[key] ?? ''
}
