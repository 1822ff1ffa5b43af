import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { MARK } from './leftovers.ts'
import { makeTempDir } from './temp.ts'

const CRON = '/usr/sbin/cron'

/** Debian's cron daemon, with one crontab of root's; this machine's own crontabs are out of its sight. */
export type Cron = {
  /** Everything that was mailed, with its head, in no order. */
  readMails(): string[]
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const daemon of running) daemon.kill('SIGKILL')
})

// In a mount namespace of its own: the crontabs, the place of its pid file, and a sendmail that keeps mails.
const SCRIPT = `
mount --bind "$1/spool" /var/spool/cron/crontabs
mount --bind "$1/cron.d" /etc/cron.d
mount --bind "$1/crontab" /etc/crontab
mount --bind "$1/run" /run
mount --bind "$1/sbin" /usr/sbin
exec ${CRON} -f`

const SENDMAIL = (mails: string) => `#!/bin/sh
mail=$(mktemp "${mails}/.XXXXXX")
cat > "$mail"
mv "$mail" "${mails}/mail-\${mail##*.}"
`

/** Starts Debian's cron with this crontab; needs root. Processes of its jobs carry the mark by which leftovers are found. */
export function startCron(crontab: string, mark: string): Cron {
  if (!existsSync(CRON)) throw new Error(`${CRON} is missing: apt-get install cron`)
  if (process.getuid?.() !== 0) throw new Error("Debian's cron runs as root alone, and so does its test")
  const directory = makeTempDir()
  const path = (...names: string[]) => join(directory, ...names)
  for (const name of ['spool', 'cron.d', 'run', 'sbin', 'mails']) mkdirSync(path(name))
  writeFileSync(path('crontab'), '')
  writeFileSync(path('spool', 'root'), `${MARK}=${mark}\n${crontab}`, { mode: 0o600 })
  copyFileSync(CRON, path('sbin', 'cron'))
  writeFileSync(path('sbin', 'sendmail'), SENDMAIL(path('mails')))
  chmodSync(path('sbin', 'sendmail'), 0o755)
  const argv = ['--mount', '--propagation', 'private', 'sh', '-euc', SCRIPT, 'sh', directory]
  const daemon = spawn('unshare', argv, { stdio: ['ignore', 'ignore', 'inherit'] })
  running.add(daemon)
  const ended = new Promise((resolve) => daemon.once('exit', resolve))
  return {
    readMails: () =>
      readdirSync(path('mails'))
        .filter((name) => name.startsWith('mail-'))
        .map((name) => readFileSync(path('mails', name), 'utf8')),
    async stop() {
      daemon.kill('SIGKILL')
      await ended
      running.delete(daemon)
    },
  }
}
