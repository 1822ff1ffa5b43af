import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { SshSettings } from '../../../lib/adapters/ssh/settings.ts'
import { createSshShell } from '../../../lib/adapters/ssh/shell.ts'
import { LongshoreError } from '../../../lib/domain/errors.ts'
import type { RemoteShell } from '../../../lib/ports/remote-shell.ts'
import { rejectsWith } from '../../support/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { makeKey, type Sshd, settingsFor, startSshd } from '../../support/sshd.ts'
import { makeTempDir } from '../../support/temp.ts'
import { startSlowLine } from './slow-line.ts'

const NEVER = new AbortController().signal
const MIB = 1024 * 1024
const endings: (() => Promise<void>)[] = []
const sshd = await startSshd()

test.after.each(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})
test.after(() => sshd.stop())

test('runs a program with exactly its arguments and input, and hands out all that it says', async () => {
  const shell = makeShell()
  const script = 'cat; printf "%s|" "$@"; echo words >&2; exit 3'
  const argv = ['sh', '-c', script, 'sh', "it's", '$HOME', 'two\nlines', '']
  const result = await shell.run('node-1', argv, { stdin: 'input ', signal: NEVER })
  assert.equal(result, { code: 3, stdout: "input it's|$HOME|two\nlines||", stderr: 'words\n' })
})

test('streams what it is given, and stops when the program has enough', async () => {
  const shell = makeShell()
  const count = async (argv: string[]) => {
    let given = 0
    const stdin = (async function* () {
      for (; given < 64; given++) yield Buffer.alloc(1024 * 1024)
    })()
    return { result: await shell.run('node-1', argv, { stdin, signal: NEVER }), given }
  }
  assert.equal((await count(['wc', '-c'])).result.stdout, `${64 * 1024 * 1024}\n`)
  assert.ok((await count(['head', '-c', '1'])).given < 64)
})

test('tells what a program prints while it runs, and answers with nothing of it', async () => {
  const shell = makeShell()
  const { promise: heard, resolve: hear } = Promise.withResolvers<string>()
  const stdin = (async function* () {
    yield Buffer.from('one\n')
    yield Buffer.from(await heard)
  })()
  let told = ''
  const onStdout = (block: Uint8Array) => {
    told += Buffer.from(block).toString()
    if (told === 'one\n') hear('two\n')
  }
  const result = await shell.run('node-1', ['cat'], { stdin, onStdout, signal: NEVER })
  assert.equal(result, { code: 0, stdout: '', stderr: '' })
  assert.is(told, 'one\ntwo\n')
})

test('ends the program and what it is given when it is told to stop while both go on', async () => {
  const controller = new AbortController()
  let isOver = false
  const stdin = (async function* () {
    try {
      yield Buffer.from('first')
      await new Promise((_, reject) => {
        controller.signal.addEventListener('abort', () => reject(controller.signal.reason))
      })
    } finally {
      isOver = true
    }
  })()
  const onStdout = () => controller.abort(new LongshoreError('interrupted', 'interrupted'))
  const running = makeShell().run('node-1', ['cat'], { stdin, onStdout, signal: controller.signal })
  await rejectsWith(running, 'interrupted')
  await eventually(() => assert.ok(isOver))
})

test('does not wait for more to write to a program that has ended', async () => {
  const stdin = (async function* () {
    yield Buffer.from('first')
    await new Promise(() => undefined)
  })()
  const { code } = await makeShell().run('node-1', ['sh', '-c', 'head -c 5; exit 7'], {
    stdin,
    signal: NEVER,
  })
  assert.is(code, 7)
})

test('an error of what is streamed ends the program and is raised as it is', async () => {
  const shell = makeShell()
  const mark = join(makeTempDir(), 'whole')
  const stdin = (async function* () {
    yield Buffer.from('part')
    throw new LongshoreError('corrupt', 'the source is broken')
  })()
  const argv = ['sh', '-c', 'cat > /dev/null; touch "$1"', 'sh', mark]
  await rejectsWith(shell.run('node-1', argv, { stdin, signal: NEVER }), 'corrupt', /source is broken/)
  assert.not(existsSync(mark))
})

test('a program that a signal ends has an exit code that says which', async () => {
  const { code } = await makeShell().run('node-1', ['sh', '-c', 'kill -9 $$'], { signal: NEVER })
  assert.is(code, 137)
})

test('a program that is not there has the exit code of a shell', async () => {
  assert.is((await makeShell().run('node-1', ['longshore-nothing'], { signal: NEVER })).code, 127)
})

test('an abort ends the program on the node and all that it started', async () => {
  const controller = new AbortController()
  const directory = makeTempDir()
  const argv = ['sh', '-c', 'sleep 600 & echo $! > "$1/child"; echo $$ > "$1/parent"; wait', 'sh', directory]
  const running = makeShell().run('node-1', argv, { signal: controller.signal })
  const pids = await eventually(() => ['child', 'parent'].map((name) => readPid(join(directory, name))))
  controller.abort(new LongshoreError('interrupted', 'interrupted'))
  await rejectsWith(running, 'interrupted')
  await eventually(() => assert.equal(pids.filter(isRunning), []))
})

test('a program that does not obey is killed', async () => {
  const controller = new AbortController()
  const file = join(makeTempDir(), 'pid')
  const argv = ['sh', '-c', 'trap "" TERM; echo $$ > "$1"; while :; do sleep 0.1; done', 'sh', file]
  const running = makeShell().run('node-1', argv, { signal: controller.signal })
  const pid = await eventually(() => readPid(file))
  controller.abort()
  await rejectsWith(running, 'interrupted')
  await eventually(() => assert.not(isRunning(pid)))
})

test('a program that takes longer than it may is ended, and the node is named', async () => {
  const running = makeShell().run('node-1', ['sleep', '600'], { signal: NEVER, timeoutMs: 200 })
  await rejectsWith(running, 'remote', /^node-1: sleep did not end within 0.2 s/)
})

test('does nothing once it was interrupted', async () => {
  await rejectsWith(makeShell().run('node-1', ['true'], { signal: AbortSignal.abort() }), 'interrupted')
})

test('closing ends what runs', async () => {
  const shell = makeShell()
  const file = join(makeTempDir(), 'pid')
  const running = shell.run('node-1', ['sh', '-c', 'echo $$ > "$1"; exec sleep 600', 'sh', file], {
    signal: NEVER,
  })
  const failed = rejectsWith(running, 'interrupted')
  const pid = await eventually(() => readPid(file))
  await shell.close()
  await failed
  await eventually(() => assert.not(isRunning(pid)))
})

test('keeps one connection, however many programs run at once', async () => {
  const shell = makeShell()
  const runs = Array.from({ length: 40 }, (_, index) =>
    shell.run('node-1', ['echo', String(index)], { signal: NEVER }),
  )
  assert.equal(
    (await Promise.all(runs)).map(({ stdout }) => Number(stdout)),
    runs.map((_, index) => index),
  )
  const { stdout } = await shell.run('node-1', ['printenv', 'SSH_CONNECTION'], { signal: NEVER })
  assert.is((await shell.run('node-1', ['printenv', 'SSH_CONNECTION'], { signal: NEVER })).stdout, stdout)
})

test('starts more programs at once than sshd lets in, one after the other', async () => {
  const own = await startOwn([], ['MaxSessions 2'])
  const shell = makeShell({}, own)
  const runs = Array.from({ length: 6 }, () => shell.run('node-1', ['true'], { signal: NEVER }))
  assert.ok((await Promise.all(runs)).every(({ code }) => code === 0))
})

test('logs in again after a connection was lost', async () => {
  const own = await startOwn()
  const shell = makeShell({}, own)
  await shell.run('node-1', ['true'], { signal: NEVER })
  const running = shell.run('node-1', ['sleep', '600'], { signal: NEVER })
  const failed = rejectsWith(running, 'remote', /^node-1: the connection to 127\.0\.0\.1:\d+ was lost/)
  await shell.run('node-1', ['true'], { signal: NEVER })
  own.signalSessions('SIGKILL')
  await failed
  assert.is((await shell.run('node-1', ['true'], { signal: NEVER })).code, 0)
})

test('a node that falls silent is lost after three questions without a word', async () => {
  const own = await startOwn()
  const shell = makeShell({ keepAliveMs: 100 }, own)
  await shell.run('node-1', ['true'], { signal: NEVER })
  own.signalSessions('SIGSTOP')
  const running = shell.run('node-1', ['true'], { signal: NEVER })
  await rejectsWith(running, 'remote', /^node-1: the connection .* was lost \(it said nothing for 0\.4 s\)/)
})

test('a node that takes what it is sent, however slowly, is not taken for silent', async () => {
  const line = await startSlowLine(sshd.port, 700_000)
  const settings = { ...settingsFor(sshd, ['node-1']), keepAliveMs: 400 }
  const shell = createSshShell({
    ...settings,
    nodes: settings.nodes.map((node) => ({ ...node, port: line.port })),
    knownHostsFile: writeTemp(`[127.0.0.1]:${line.port} ${sshd.hostKey}\n`),
  })
  endings.push(line.stop, () => shell.close())
  const stdin = (async function* () {
    for (let count = 0; count < 4; count++) yield Buffer.alloc(MIB)
  })()
  // An answer to what is asked first waits behind two mebibytes: for longer than a silent node is given.
  const { stdout } = await shell.run('node-1', ['wc', '-c'], { stdin, signal: NEVER })
  assert.is(stdout, `${4 * MIB}\n`)
})

test('a node that accepts and says nothing fails at the deadline', async () => {
  const own = await startOwn()
  own.signalListener('SIGSTOP')
  const running = makeShell({ connectTimeoutMs: 300 }, own).run('node-1', ['true'], { signal: NEVER })
  await rejectsWith(running, 'remote', /^node-1: .* did not let us in within 0.3 s/)
})

test('an abort ends the wait for a connection', async () => {
  const own = await startOwn()
  own.signalListener('SIGSTOP')
  const controller = new AbortController()
  const running = makeShell({ connectTimeoutMs: 60_000 }, own).run('node-1', ['true'], controller)
  controller.abort()
  await rejectsWith(running, 'interrupted')
})

test('refuses a host that known_hosts does not hold, and says how to add it', async () => {
  const knownHostsFile = writeTemp('')
  const running = makeShell({ knownHostsFile }).run('node-1', ['true'], { signal: NEVER })
  const error = await rejectsWith(running, 'usage', /^node-1: \[127\.0\.0\.1\]:\d+ shows the key SHA256:/)
  assert.match(error.hint!, /ssh-keyscan -p \d+ 127\.0\.0\.1/)
})

test('refuses a key that has changed, and names the line that holds the other one', async () => {
  const other = join(makeTempDir(), 'other')
  makeKey(other)
  const knownHostsFile = writeTemp(`[127.0.0.1]:${sshd.port} ${readFileSync(`${other}.pub`, 'utf8')}`)
  const running = makeShell({ knownHostsFile }).run('node-1', ['true'], { signal: NEVER })
  await rejectsWith(running, 'remote', /^node-1: .* shows the key SHA256:.* line 1 holds another one/)
})

test('refuses a key that is revoked', async () => {
  const line = `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n`
  const knownHostsFile = writeTemp(`${line}@revoked ${line}`)
  const running = makeShell({ knownHostsFile }).run('node-1', ['true'], { signal: NEVER })
  await rejectsWith(running, 'remote', /line 2 says is revoked/)
})

test('asks a node for the type of key that is known of it', async () => {
  const own = await startOwn(['ecdsa'])
  const known = readFileSync(own.extraHostKeys[0]!, 'utf8')
  const knownHostsFile = writeTemp(`[127.0.0.1]:${own.port} ${known}`)
  assert.is((await makeShell({ knownHostsFile }, own).run('node-1', ['true'], { signal: NEVER })).code, 0)
})

test('says which key a node did not let in, and as whom', async () => {
  const identityFile = join(makeTempDir(), 'stranger')
  makeKey(identityFile)
  const running = makeShell({ identityFile }).run('node-1', ['true'], { signal: NEVER })
  const error = await rejectsWith(running, 'remote', /let in no key of .*stranger as /)
  assert.match(error.hint!, 'authorized_keys')
})

test('says that a key file is missing, is no key, or has a passphrase', async () => {
  const run = (settings: Partial<SshSettings>) =>
    makeShell(settings).run('node-1', ['true'], { signal: NEVER })
  await rejectsWith(run({ identityFile: '/nowhere/key' }), 'usage', /ssh\.identityFile: .*nowhere/)
  await rejectsWith(run({ identityFile: writeTemp('no key') }), 'usage', /is no private key/)
  await rejectsWith(
    run({ knownHostsFile: '/nowhere/known_hosts' }),
    'usage',
    /ssh\.knownHostsFile: .*nowhere/,
  )
  const locked = join(makeTempDir(), 'locked')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret', '-f', locked])
  const error = await rejectsWith(run({ identityFile: locked }), 'usage', /has a passphrase/)
  assert.match(error.hint!, `ssh-add ${locked}`)
})

test('logs in with a key of the agent', async () => {
  const agent = join(makeTempDir(), 'agent')
  const process = spawn('ssh-agent', ['-D', '-a', agent], { stdio: 'ignore' })
  endings.push(async () => {
    process.kill()
    await once(process, 'exit')
  })
  await eventually(() =>
    execFileSync('ssh-add', ['-q', sshd.identityFile], { env: { SSH_AUTH_SOCK: agent }, stdio: 'ignore' }),
  )
  const { identityFile: _none, ...settings } = settingsFor(sshd)
  const shell = createSshShell({ ...settings, agent })
  endings.push(() => shell.close())
  assert.is((await shell.run('node-1', ['true'], { signal: NEVER })).code, 0)
})

test('logs in to many nodes although sshd drops log-ins that come at once', async () => {
  const own = await startOwn([], ['MaxStartups 2:100:2'])
  const names = Array.from({ length: 12 }, (_, index) => `node-${index + 1}`)
  const shell = createSshShell(settingsFor(own, names))
  endings.push(() => shell.close())
  const results = await Promise.all(names.map((name) => shell.run(name, ['true'], { signal: NEVER })))
  assert.ok(results.every(({ code }) => code === 0))
})

test('refuses hosts and users that begin with a dash, and nodes that are not in the profile', async () => {
  const create = async (host: string, user: string) =>
    createSshShell({ ...settingsFor(sshd), nodes: [{ name: 'node-1', host, port: 22, user }] })
  await rejectsWith(create('-oProxyCommand=id', 'root'), 'usage', /node-1/)
  await rejectsWith(create('node-1', '-l'), 'usage', /node-1/)
  await rejectsWith(makeShell().run('node-9', ['true'], { signal: NEVER }), 'usage', /node-9/)
})

function makeShell(settings: Partial<SshSettings> = {}, server: Sshd = sshd): RemoteShell {
  const shell = createSshShell({ ...settingsFor(server), ...settings })
  endings.push(() => shell.close())
  return shell
}

async function startOwn(types: readonly string[] = [], options: readonly string[] = []): Promise<Sshd> {
  const own = await startSshd(options, types)
  endings.push(() => own.stop())
  return own
}

function writeTemp(text: string): string {
  const path = join(makeTempDir(), 'file')
  writeFileSync(path, text)
  return path
}

function readPid(path: string): number {
  const pid = Number(readFileSync(path, 'utf8'))
  assert.ok(pid > 0)
  return pid
}

function isRunning(pid: number): boolean {
  return (
    readdirSync('/proc').includes(String(pid)) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  )
}

test.run()
