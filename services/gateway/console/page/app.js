import { ask, forgetToken, keepToken, Refused } from './ask.js'
import { find } from './dom.js'
import { showFleet } from './fleet.js'
import { listenToForm, offerGenerations } from './try.js'
import { inLocalTime } from './words.js'

const RUNNING_MS = 1000
const RESTING_MS = 2000

const [main, login] = [find('main', HTMLElement), find('login', HTMLFormElement)]
const asOf = find('as-of', HTMLElement)

listenToForm()
login.addEventListener('submit', (event) => {
  event.preventDefault()
  keepToken(find('token', HTMLInputElement).value.trim())
  void look()
})
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !main.hidden) void look()
})

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer
void look()

/** Looks now, and again soon while the page is seen. */
async function look() {
  clearTimeout(timer)
  let isRunning = false
  try {
    const [about, { facts }] = await Promise.all([ask('about'), ask('facts')])
    const isFirst = main.hidden
    main.hidden = false
    login.hidden = true
    find('profile', HTMLElement).textContent = about.profile
    find('serving', HTMLElement).textContent = `${about.serving} is serving`
    offerGenerations(about)
    showFleet(facts)
    asOf.textContent = facts ? `Fleet as of ${inLocalTime(facts.at)}` : ''
    isRunning = facts?.progress !== null && facts?.progress !== undefined
    if (isFirst) find('query', HTMLInputElement).focus()
  } catch (error) {
    if (error instanceof Refused) return askForToken(error.message)
    asOf.textContent = `The gateway does not answer: ${error instanceof Error ? error.message : error}`
  }
  if (!document.hidden) timer = setTimeout(look, isRunning ? RUNNING_MS : RESTING_MS)
}

/** @param {string} why */
function askForToken(why) {
  forgetToken()
  main.hidden = true
  login.hidden = false
  find('refused', HTMLElement).textContent = why
  const token = find('token', HTMLInputElement)
  token.value = ''
  token.focus()
}
