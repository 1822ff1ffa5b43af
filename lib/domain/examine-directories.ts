import { type Finding, fail, orOk } from './finding.ts'

/** The directory for generations on one node, as we find it there by the user that we log in as. */
export type DirectoryReport = {
  readonly name: string
  readonly user: string
  readonly kind: 'directory' | 'missing' | 'other'
  /** Of the directory; of the nearest one above where it is missing. */
  readonly isWritable: boolean
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** What files that we write are denied. */
  readonly umask: number
}

/** Whom tasks run as: the image says so. */
const TASK_ID = 1000
const [OWNER, GROUP, OTHERS] = [0o500, 0o050, 0o005]

/** Findings on directories that cannot be written to, or that tasks cannot read. */
export function examineDirectories(reports: readonly DirectoryReport[], path: string): Finding[] {
  if (reports.length === 0) return []
  const missing = reports.filter(({ kind }) => kind === 'missing').map(({ name }) => name)
  const detail = `${path} can be written to${missing.length > 0 ? `; a delivery makes it on ${missing.join(', ')}` : ''}`
  return orOk(
    reports.flatMap((report) => examineDirectory(report, path)),
    'directory',
    detail,
  )
}

function examineDirectory(report: DirectoryReport, path: string): Finding[] {
  const { name, user, kind, isWritable, umask } = report
  if (kind === 'other') {
    const hint = 'move it aside, or name another one in swarm.dataDirectory'
    return [fail('directory', `${path} on ${name} is no directory`, hint)]
  }
  if (!isWritable) {
    const what = kind === 'missing' ? `make ${path} on ${name}` : `write to ${path} on ${name}`
    return [fail('directory', `${user} may not ${what}`, `install -d -o ${user} ${path} on ${name}`)]
  }
  if (kind === 'directory' && !isReadable(report)) {
    const detail = `tasks, which run as user ${TASK_ID}, may not read ${path} on ${name} (mode ${report.mode.toString(8)})`
    return [fail('directory', detail, `chmod o+rx ${path} on ${name}`)]
  }
  if ((umask & OTHERS) === 0) return []
  const detail = `tasks could not read what ${user} writes on ${name}: its umask is ${umask.toString(8).padStart(4, '0')}`
  return [fail('directory', detail, `set umask 022 for ${user} on ${name}`)]
}

function isReadable({ mode, uid, gid }: DirectoryReport): boolean {
  const needed = uid === TASK_ID ? OWNER : gid === TASK_ID ? GROUP : OTHERS
  return (mode & needed) === needed
}
