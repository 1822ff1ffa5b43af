import { el, find, table } from './dom.js'
import { inLocalTime, span } from './words.js'

/**
 * @typedef {{ id: string, node: string, state: string, problem?: string, generations: { name: string }[] }} Task
 * @typedef {{ name: string, reachable: boolean, problem?: string, generations: { name: string, clusters?: number[] }[] }} FleetNode
 * @typedef {{ name: string, state: string, startedAt: string, endedAt?: string }} Step
 * @typedef {{ command: string, from: string | null, to: string, phase: string, startedAt: string, owner: string, steps: Step[], done: number, total: number | null }} Progress
 * @typedef {{ id: number, generation: { name: string, digest: string }, command: string, at: string, by: string }} Release
 * @typedef {object} Facts
 * @property {string} at
 * @property {string} profile
 * @property {string} [profileFile]
 * @property {{ generation: string } | null} serving
 * @property {FleetNode[]} nodes
 * @property {{ name: string, tasks: Task[] }[]} services
 * @property {Release[]} releases
 * @property {{ generation: { name: string, digest: string }, reason: string, at: string }[]} quarantined
 * @property {Progress | null} progress
 * @property {string | null} holder
 * @property {string[]} drift
 */

const RECENT = 12
let shown = ''

/**
 * Shows what stands in the fleet; draws nothing anew that is as it was, so that the focus stays where it is.
 * @param {Facts | null} facts
 */
export function showFleet(facts) {
  const { at: _at, ...rest } = facts ?? { at: '' }
  const key = JSON.stringify(rest)
  if (key === shown) return
  shown = key
  const cards = facts
    ? [
        renderRun(facts),
        renderDrift(facts),
        renderMatrix(facts),
        renderServices(facts),
        renderReleases(facts),
      ]
    : [renderUntold()]
  find('fleet', HTMLElement).replaceChildren(...cards.filter((card) => card !== null))
}

function renderUntold() {
  const command = 'npx zx scripts/status.mjs --watch --publish --profile FILE'
  return card(
    'Fleet',
    'wide',
    el(
      'p',
      {},
      'Gateways of a Swarm cannot look at its nodes, releases and updates. What stands there is shown once an operator hands it on, and as long as this runs:',
    ),
    renderCommand(command),
  )
}

/** @param {Facts} facts */
function renderRun({ progress, holder }) {
  if (!progress) return holder === null ? null : card('Running', 'wide running', el('p', {}, holder))
  const { command, from, to, phase, steps, done, total, startedAt, owner } = progress
  const bar = total === null ? el('progress') : el('progress', { value: String(done), max: String(total) })
  bar.setAttribute('aria-label', 'steps done')
  const way = `${command} ${from ?? 'nothing'} → ${to}${phase === 'forward' ? '' : ', going back'}`
  return card(
    way,
    'wide running',
    el(
      'p',
      { class: 'quiet' },
      `${done}${total === null ? '' : ` of ${total}`} steps done · begun ${inLocalTime(startedAt)} by ${owner}`,
    ),
    holder === null
      ? el('p', { class: 'warn' }, 'Nobody works on it now: the same command again continues it.')
      : null,
    bar,
    el('ol', { class: 'steps' }, ...steps.toReversed().map(renderStep)),
  )
}

/** @param {Step} step */
function renderStep({ name, state, startedAt, endedAt }) {
  const [mark, kind] = { done: ['✓', 'good'], failed: ['✕', 'bad'] }[state] ?? ['…', 'quiet']
  return el(
    'li',
    {},
    el('span', { class: `mark ${kind}` }, mark),
    el('span', {}, `${name}${state === 'failed' ? ' failed' : ''}`),
    el(
      'span',
      { class: 'took' },
      endedAt ? span(startedAt, endedAt) : `since ${inLocalTime(startedAt).slice(-8)}`,
    ),
  )
}

/** @param {Facts} facts */
function renderDrift({ drift, quarantined }) {
  const bad = quarantined.map(({ generation, reason }) => `${generation.name} is quarantined: ${reason}`)
  const all = [...drift, ...bad]
  if (all.length === 0) return null
  return card('To look at', 'wide', el('ul', { class: 'drift warn' }, ...all.map((one) => el('li', {}, one))))
}

/** @param {Facts} facts */
function renderMatrix({ nodes, services, serving }) {
  const held = nodes.flatMap(({ generations }) => generations.map(({ name }) => name))
  const names = [...new Set(held)].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  const tasks = services.flatMap((service) => service.tasks)
  /** @type {[string, string?][]} */
  const columns = [
    ['node', 'nowrap'],
    ['', 'nowrap'],
    ...names.map((name) => /** @type {[string, string]} */ ([name, 'middle'])),
  ]
  const rows = nodes.map((node) => [
    node.name,
    node.reachable
      ? el('span', { class: 'good' }, 'reachable')
      : el('span', { class: 'bad', title: node.problem ?? '' }, 'lost'),
    ...names.map((name) => {
      const copy = node.generations.find((one) => one.name === name)
      const isLoaded = tasks.some(
        (task) => task.node === node.name && task.generations.some((one) => one.name === name),
      )
      return renderCopy(copy, { isLoaded, isServing: name === serving?.generation })
    }),
  ])
  return card('Nodes and generations', '', table(columns, rows, 'Nodes and generations'))
}

/**
 * @param {FleetNode['generations'][number] | undefined} copy
 * @param {{ isLoaded: boolean, isServing: boolean }} use
 */
function renderCopy(copy, { isLoaded, isServing }) {
  if (!copy) return el('span', { class: 'quiet' }, '–')
  const part = copy.clusters ? ` ${copy.clusters.length} shards` : ''
  if (isLoaded && isServing) return el('span', { class: 'tag good' }, `serving${part}`)
  return el('span', { class: isLoaded ? 'tag main' : 'tag' }, `${isLoaded ? 'loaded' : 'held'}${part}`)
}

/** @param {Facts} facts */
function renderServices({ services }) {
  const rows = services.flatMap(({ name, tasks }) =>
    tasks.map(({ node, state, generations, problem }, at) => [
      at === 0 ? name : '',
      node,
      el(
        'span',
        {
          class: state === 'ready' ? 'tag good' : state === 'failed' ? 'tag bad' : 'tag warn',
          title: problem ?? '',
        },
        state,
      ),
      generations.map((one) => one.name).join(', '),
    ]),
  )
  return card(
    'Services',
    '',
    table(
      [['service', 'nowrap'], ['node', 'nowrap'], ['state'], ['generations', 'nowrap']],
      rows,
      'Services',
    ),
  )
}

/** @param {Facts} facts */
function renderReleases({ releases, serving, profile, profileFile, quarantined }) {
  const file = profileFile ?? (profile === 'local' ? 'config/local.yml' : `config/${profile}.yml`)
  const flag = file === 'config/local.yml' ? '' : ` --profile ${file}`
  const bad = new Set(quarantined.map(({ generation }) => generation.digest))
  const recent = releases.slice(-RECENT).reverse()
  const rows = recent.map(({ id, generation, command, at, by }, row) => {
    const isFirst = recent.findIndex((one) => one.generation.digest === generation.digest) === row
    const isServing = generation.name === serving?.generation
    const canReturn = isFirst && !isServing && !bad.has(generation.digest)
    const way = canReturn && renderCommand(`npx zx scripts/rollback.mjs --to ${generation.name}${flag}`)
    const state = row === 0 && isServing && el('span', { class: 'tag good' }, 'serving')
    return [`#${id}`, generation.name, state || way, command, inLocalTime(at), by]
  })
  /** @type {[string, string?][]} */
  const columns = [
    ['release', 'nowrap'],
    ['generation', 'nowrap'],
    ['way back'],
    ['by', 'nowrap'],
    ['when', 'nowrap'],
    ['operator', 'nowrap'],
  ]
  return card(
    'Releases',
    'wide',
    rows.length > 0
      ? table(columns, rows, 'Releases')
      : el('p', { class: 'quiet' }, 'Nothing was released yet.'),
  )
}

/** @param {string} command */
function renderCommand(command) {
  const code = el('code', {}, command)
  const button = el('button', { type: 'button', class: 'small', 'aria-label': `Copy ${command}` }, 'Copy')
  button.addEventListener('click', async () => {
    button.textContent = (await copy(command, code)) ? 'Copied' : 'Selected'
    setTimeout(() => button.replaceChildren('Copy'), 1500)
  })
  return el('span', { class: 'command' }, button, code)
}

/**
 * Copies a text, or selects it where the browser lets pages copy only over HTTPS.
 * @param {string} text
 * @param {Node} place
 */
async function copy(text, place) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    getSelection()?.selectAllChildren(place)
    return false
  }
}

/**
 * @param {string} title
 * @param {string} kind
 * @param {readonly import('./dom.js').Child[]} children
 */
function card(title, kind, ...children) {
  return el(
    'section',
    { class: `card ${kind}`.trim() },
    el('div', { class: 'head' }, el('h2', {}, title)),
    ...children,
  )
}
