import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fingerprintOf, parseKnownHosts } from '../../../lib/adapters/ssh/known-hosts.ts'
import { makeKey } from '../../support/sshd.ts'
import { makeTempDir } from '../../support/temp.ts'

const directory = makeTempDir()
const one = readKey('one', 'ed25519')
const two = readKey('two', 'ecdsa')

test('knows a key by plain name, by name with port and by pattern', () => {
  const hosts = parseKnownHosts(
    [
      `node-1,10.0.0.1 ${one.line}`,
      `[node-1]:2222 ${two.line}`,
      `*.example.org,!bad.example.org ${one.line}`,
    ].join('\n'),
  )
  assert.equal(hosts.judge('node-1', 22, one.key), { state: 'known' })
  assert.equal(hosts.judge('NODE-1', 22, one.key), { state: 'known' })
  assert.equal(hosts.judge('10.0.0.1', 22, one.key), { state: 'known' })
  assert.equal(hosts.judge('node-1', 2222, two.key), { state: 'known' })
  assert.equal(hosts.judge('a.example.org', 22, one.key), { state: 'known' })
  assert.equal(hosts.judge('bad.example.org', 22, one.key), { state: 'unknown' })
  assert.equal(hosts.judge('node-1x', 22, one.key), { state: 'unknown' })
})

test('knows what ssh-keygen has hashed, with and without a port', () => {
  const file = join(directory, 'hashed')
  writeFileSync(file, `node-1 ${one.line}\n[node-1]:2222 ${two.line}\n`)
  execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' })
  const text = readFileSync(file, 'utf8')
  assert.not.match(text, 'node-1')
  const hosts = parseKnownHosts(text)
  assert.equal(hosts.judge('node-1', 22, one.key), { state: 'known' })
  assert.equal(hosts.judge('node-1', 2222, two.key), { state: 'known' })
  assert.equal(hosts.judge('node-2', 22, one.key), { state: 'unknown' })
})

test('tells a changed key with the line that holds the other one', () => {
  const hosts = parseKnownHosts(`# nodes\n\nnode-1 ${one.line}\n`)
  assert.equal(hosts.judge('node-1', 22, two.key), { state: 'changed', line: 3 })
})

test('accepts each of several keys of one host, and names their types', () => {
  const hosts = parseKnownHosts(`node-1 ${one.line}\nnode-1 ${two.line}\n`)
  assert.equal(hosts.judge('node-1', 22, one.key), { state: 'known' })
  assert.equal(hosts.judge('node-1', 22, two.key), { state: 'known' })
  assert.equal(hosts.listTypes('node-1', 22), ['ssh-ed25519', 'ecdsa-sha2-nistp256'])
})

test('a revoked key is refused even where another line allows it', () => {
  const hosts = parseKnownHosts(`node-1 ${one.line}\n@revoked * ${one.line}\n`)
  assert.equal(hosts.judge('node-1', 22, one.key), { state: 'revoked', line: 2 })
  assert.equal(hosts.listTypes('node-1', 22), ['ssh-ed25519'])
})

test('takes no word of a certificate authority or of a broken line for a key', () => {
  const hosts = parseKnownHosts(`@cert-authority node-1 ${one.line}\nnode-1\nnode-1 ssh-ed25519\n`)
  assert.equal(hosts.judge('node-1', 22, one.key), { state: 'unknown' })
})

test('prints fingerprints as OpenSSH does', () => {
  const printed = execFileSync('ssh-keygen', ['-l', '-f', `${one.path}.pub`]).toString()
  assert.is(printed.split(' ')[1], fingerprintOf(one.key))
})

/** A new public key: as it stands in known_hosts behind the names of hosts, and its bytes. */
function readKey(name: string, type: string) {
  const path = join(directory, name)
  makeKey(path, type)
  const [kind, base64] = readFileSync(`${path}.pub`, 'utf8').split(' ')
  return { path, line: `${kind} ${base64}`, key: Buffer.from(base64!, 'base64') }
}

test.run()
