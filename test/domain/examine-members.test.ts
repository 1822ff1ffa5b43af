import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { EngineReport } from '../../lib/domain/engine-report.ts'
import { examineLoners, examineMembers, type Membership } from '../../lib/domain/examine-members.ts'
import { examineManagers, examineQuorum } from '../../lib/domain/examine-quorum.ts'
import { type Member, parseMembers } from '../../lib/domain/swarm-members.ts'
import { assertFound, assertSound } from '../support/findings.ts'
import { readRecorded } from '../support/recorded.ts'

/** Three nodes, of which n2 is drained. */
const RECORDED = parseMembers(readRecorded('docker-node-inspect.json'))
const MEMBERS = RECORDED.map((member) => ({ ...member, availability: 'active' }))
const ENGINES = MEMBERS.map(({ id, name }) => makeEngine(name, id))

test('reads roles, states, labels and resources from what docker prints', () => {
  const [first, second] = RECORDED
  assert.equal([first!.role, first!.reachability, second!.reachability], ['manager', 'reachable', null])
  assert.equal([second!.name, second!.state, second!.availability], ['n2', 'ready', 'drain'])
  assert.is(second!.labels['longshore.rec.node'], 'member')
  assert.equal(second!.platform, { os: 'linux', architecture: 'x86_64' })
  assert.ok(second!.memoryBytes > 2 ** 30 && second!.nanoCpus >= 1e9)
})

test('is content where every node of the profile is ready for tasks', () => {
  assertSound(examine({}))
})

test('finds a node that is drained, paused or down', () => {
  assertFound(examine({ members: RECORDED }), 'warn', /n2 is drained/, /availability active n2/)
  assertFound(examine({ members: change('n2', { availability: 'pause' }) }), 'warn', /n2 is paused/)
  const members = change('n3', { state: 'down' })
  assertFound(examine({ members }), 'fail', /counts n3 as down/, /2377/)
  assertFound(examine({ members, unreachableNodes: 'continue' }), 'warn', /counts n3 as down/)
})

test('finds a name that no node of the Swarm has', () => {
  const findings = examine({ nodes: ['n1', 'n9'], engines: [] })
  assertFound(findings, 'fail', /n9 is the host name of no node of the Swarm, which has n1, n2, n3/)
})

test('finds a node that the Swarm knows by another name', () => {
  const engines = [makeEngine('search-2', MEMBERS[1]!.id)]
  assertFound(
    examine({ nodes: ['search-2'], engines }),
    'fail',
    /profile calls search-2 is n2 in the Swarm/,
    /call it n2/,
  )
})

test('finds a host that leads to another node than its name says', () => {
  const engines = [makeEngine('n2', MEMBERS[2]!.id)]
  assertFound(examine({ nodes: ['n2'], engines }), 'fail', /calls n2 is n3 in the Swarm/, /correct its host/)
})

test('finds a node of another Swarm, and one of none', () => {
  const stranger = { nodes: ['n2'], engines: [makeEngine('n2', 'elsewhere')] }
  assertFound(examine(stranger), 'fail', /n2 is in another Swarm/)
  const alone = [makeEngine('n2', '', { state: 'inactive' })]
  assertFound(
    examine({ nodes: ['n2'], engines: alone }),
    'fail',
    /n2 is in no Swarm \(inactive\)/,
    /join-token/,
  )
  assertFound(examineLoners([makeEngine('n2', '', { state: 'locked' })]), 'fail', /locked/, /swarm unlock/)
  assert.equal(examineLoners(ENGINES), [])
})

test('finds the shadow of a node that left and came back', () => {
  const members = [...MEMBERS, { ...MEMBERS[1]!, id: 'former', state: 'down' }]
  assertFound(examine({ members }), 'warn', /2 nodes of the Swarm are called n2/, /node rm former/)
})

test('finds a manager of the profile that is none, a failure where no other is left', () => {
  const engines = [makeEngine('n1', '1', { isManager: true }), makeEngine('n2', '2')]
  assert.equal(examineManagers(engines, ['n1']), [])
  assertFound(examineManagers(engines, ['n1', 'n2']), 'warn', /n2 is no manager/, /promote n2/)
  assertFound(examineManagers(engines, ['n2']), 'fail', /n2 is no manager/)
})

test('finds that a majority of managers is gone, or hangs by one', () => {
  const [first] = MEMBERS as [Member]
  const managers = (...states: string[]) =>
    states.map((reachability, at) => ({ ...first, name: `m${at}`, reachability }))
  assertSound(examineQuorum(MEMBERS))
  assertSound(examineQuorum(managers('reachable', 'reachable', 'reachable')))
  assertFound(
    examineQuorum(managers('reachable', 'reachable', 'unreachable')),
    'warn',
    /2 of 3 .* \(not m2\)/,
    /bring m2 back/,
  )
  assertFound(
    examineQuorum(managers('reachable', 'unreachable', 'unreachable')),
    'fail',
    /1 of 3/,
    /m1 or m2/,
  )
  assertFound(examineQuorum(managers('reachable', 'reachable')), 'warn', /with one less/, /odd number/)
})

test.run()

function examine(overrides: Partial<Membership>) {
  const nodes = ['n1', 'n2', 'n3']
  return examineMembers({
    engines: ENGINES,
    members: MEMBERS,
    nodes,
    unreachableNodes: 'refuse',
    ...overrides,
  })
}

function change(name: string, overrides: Partial<Member>): Member[] {
  return MEMBERS.map((member) => (member.name === name ? { ...member, ...overrides } : member))
}

function makeEngine(
  name: string,
  nodeId: string,
  { state = 'active', isManager = false }: { state?: string; isManager?: boolean } = {},
): EngineReport {
  const swarm = { nodeId, state, isManager }
  return { name, user: 'root', docker: { version: '28', apiVersion: '1.50', architecture: 'amd64', swarm } }
}
