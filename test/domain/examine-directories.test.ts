import { test } from 'uvu'
import { type DirectoryReport, examineDirectories } from '../../lib/domain/examine-directories.ts'
import { assertFound, assertSound } from '../support/findings.ts'

const PATH = '/var/lib/longshore'
const SOUND: DirectoryReport = {
  name: 'n2',
  user: 'carrier',
  kind: 'directory',
  isWritable: true,
  mode: 0o755,
  uid: 0,
  gid: 0,
  umask: 0o022,
}
const examine = (report: Partial<DirectoryReport>) => examineDirectories([{ ...SOUND, ...report }], PATH)

test('is content with a directory that we may write and tasks may read', () => {
  assertSound(examine({}))
  assertSound(examine({ mode: 0o700, uid: 1000 }))
  assertSound(examine({ mode: 0o750, gid: 1000 }))
})

test('is content with one that a delivery makes, and says so', () => {
  assertFound(examine({ kind: 'missing', mode: 0o700 }), 'ok', /a delivery makes it on n2/)
})

test('finds one that we may not write, or not make', () => {
  assertFound(examine({ isWritable: false }), 'fail', /carrier may not write to .* on n2/, /install -d/)
  assertFound(examine({ kind: 'missing', isWritable: false }), 'fail', /carrier may not make/, /install -d/)
})

test('finds one that tasks may not read, now or after a delivery', () => {
  assertFound(examine({ mode: 0o750 }), 'fail', /may not read .* on n2 \(mode 750\)/, /chmod o\+rx/)
  assertFound(examine({ umask: 0o077 }), 'fail', /its umask is 0077/, /umask 022/)
})

test('finds something else in its place', () => {
  assertFound(examine({ kind: 'other' }), 'fail', /on n2 is no directory/, /swarm\.dataDirectory/)
})

test.run()
