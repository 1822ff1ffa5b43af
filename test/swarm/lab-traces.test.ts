import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readlink, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { createGroup, killGroup, listProcesses, removeGroup } from './lab/cgroups.ts'
import { layOut } from './lab/layout.ts'
import { hostLink } from './lab/network.ts'
import { run } from './lab/quiet.ts'
import { spawnInGroup } from './lab/spawn.ts'
import { watchTraces } from './lab/traces.ts'

/** Where labs would be, which nobody starts. */
const [STATE, OTHER] = ['', '-other'].map(
  (end) => `/var/lib/longshore-lab-${randomUUID().slice(0, 8)}${end}`,
) as [string, string]
const LAB = layOut({ state: STATE, nodes: 0, managers: 0 })
const traces = watchTraces(STATE)

type Left = { readonly what: string; leave(): Promise<unknown>; clear(): Promise<unknown> }

const clearState = () => rm(STATE, { recursive: true })
const LOCK = `/run/${LAB.id}.lock`
const DISK = join(STATE, 'n1/disk.img')

const LEFT: readonly Left[] = [
  { what: 'a directory', leave: () => mkdir(STATE), clear: clearState },
  { what: 'a lock', leave: () => writeFile(LOCK, ''), clear: () => rm(LOCK) },
  {
    what: 'a cgroup',
    leave: async () => createGroup(`${LAB.id}/n1`),
    clear: () => removeGroup(LAB.id),
  },
  {
    what: 'a link',
    leave: () => run`ip link add ${hostLink(LAB)} type veth peer name lsx${LAB.id.slice(-6)}`,
    clear: () => run`ip link del ${hostLink(LAB)}`,
  },
  {
    what: 'a mount',
    async leave() {
      await mkdir(STATE)
      await run`mount -t tmpfs tmpfs ${STATE}`
    },
    async clear() {
      await run`umount ${STATE}`
      await clearState()
    },
  },
  {
    what: 'a disk',
    async leave() {
      await mkdir(join(STATE, 'n1'), { recursive: true })
      await run`truncate -s 1M ${DISK}`
      await run`losetup --find ${DISK}`
    },
    async clear() {
      const devices = (await run`losetup --associated ${DISK} --noheadings --output NAME`).stdout.trim()
      await run`losetup --detach ${devices}`
      await clearState()
    },
  },
]

for (const { what, leave, clear } of LEFT) {
  test(`finds ${what} that a lab has left, and none of another lab`, async () => {
    const other = watchTraces(OTHER)
    assert.equal(await traces.list(), [])
    await leave()
    try {
      assert.ok((await traces.list()).length > 0)
      assert.equal(await other.list(), [])
    } finally {
      await clear()
    }
    await eventually(async () => assert.equal(await traces.list(), []))
  })
}

test('finds a process that has left its cgroup, by a namespace that it was seen in', async () => {
  await spawnInGroup(`${LAB.id}/n1`, ['unshare', '--net', 'sleep', '60'], '/dev/null')
  const pid = await eventually(async () => {
    const [found] = listProcesses(LAB.id)
    assert.ok(found)
    assert.is.not(await readlink(`/proc/${found}/ns/net`), await readlink('/proc/self/ns/net'))
    return found
  })
  await traces.record()
  const leaver = spawn('nsenter', ['-t', `${pid}`, '-n', 'sh', '-c', 'echo in; exec sleep 60'])
  try {
    await once(leaver.stdout, 'data')
    await killGroup(LAB.id)
    await removeGroup(LAB.id)
    const left = await traces.list()
    assert.is(left.length, 1, left.join('\n'))
    assert.match(left[0]!, new RegExp(`^${leaver.pid} `))
  } finally {
    leaver.kill()
  }
  await eventually(async () => assert.equal(await traces.list(), []))
})

test.run()
