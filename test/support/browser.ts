import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { makeTempDir } from './temp.ts'

/** A page of a real browser, driven over the Chrome DevTools Protocol. */
export type Page = {
  /** Opens an address and waits until it was loaded. */
  open(url: string): Promise<void>
  /** What an expression is in the page, promises awaited; raises what it throws. */
  // biome-ignore lint/suspicious/noExplicitAny: what a page answers is looked into member by member
  read(expression: string): Promise<any>
  press(key: string, modifiers?: number): Promise<void>
  type(text: string): Promise<void>
  resize(width: number, height: number): Promise<void>
  setColours(scheme: 'light' | 'dark'): Promise<void>
  screenshot(path: string): Promise<void>
  /** Every request so far: its address, and how many bytes came for it. */
  readonly requests: ReadonlyMap<string, { readonly url: string; bytes: number }>
  /** What the page complained of: errors of scripts, and what its security policy forbade. */
  readonly complaints: readonly string[]
}

export type Browser = { readonly page: Page; close(): Promise<void> }

/** So long may it take until the browser has started, on a machine that has other work. */
const START_MS = 60_000
const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
const TAB = 9

/** Starts Chromium without a window, with a profile of its own. Raises when there is none. */
export async function startBrowser(): Promise<Browser> {
  const directory = makeTempDir()
  const path = NAMES.map((name) => `/usr/bin/${name}`).find((one) => existsSync(one))
  if (!path) throw new Error('no Chromium on this machine: apt-get install chromium')
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
  ]
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
  const args = [
    ...flags,
    ...quiet,
    '--remote-debugging-port=0',
    `--user-data-dir=${directory}`,
    'about:blank',
  ]
  const child = spawn(path, args, { stdio: 'ignore' })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const port = await eventually(
    async () => (await readFile(join(directory, 'DevToolsActivePort'), 'utf8')).split('\n')[0],
    START_MS,
  )
  const targets = await eventually(async () => {
    const list = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as Target[]
    const found = list.find(({ type }) => type === 'page')
    if (!found) throw new Error('the browser has no page')
    return found
  }, START_MS)
  const session = await connect(targets.webSocketDebuggerUrl)
  const page = await createPage(session)
  return {
    page,
    close: async () => {
      session.close()
      const ended = new Promise((resolve) => child.once('exit', resolve))
      kill()
      await ended
      process.off('exit', kill)
    },
  }
}

type Target = { readonly type: string; readonly webSocketDebuggerUrl: string }
type Params = Readonly<Record<string, unknown>>
// biome-ignore lint/suspicious/noExplicitAny: messages of the protocol have as many forms as there are methods
type Message = any

type Session = {
  send(method: string, params?: Params): Promise<Message>
  on(method: string, listen: (params: Message) => void): void
  close(): void
}

async function connect(url: string): Promise<Session> {
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', reject, { once: true })
  })
  const waiting = new Map<number, PromiseWithResolvers<Message>>()
  const listeners: { readonly method: string; readonly listen: (params: Message) => void }[] = []
  socket.addEventListener('message', ({ data }) => {
    const { id, method, params, result, error } = JSON.parse(String(data)) as Message
    for (const one of listeners) if (one.method === method) one.listen(params)
    if (error) waiting.get(id)?.reject(new Error(error.message))
    else waiting.get(id)?.resolve(result)
    waiting.delete(id)
  })
  let last = 0
  return {
    send(method, params = {}) {
      const promise = Promise.withResolvers<Message>()
      waiting.set(++last, promise)
      socket.send(JSON.stringify({ id: last, method, params }))
      return promise.promise
    },
    on: (method, listen) => void listeners.push({ method, listen }),
    close: () => socket.close(),
  }
}

async function createPage({ send, on }: Session): Promise<Page> {
  const requests = new Map<string, { url: string; bytes: number }>()
  const complaints: string[] = []
  on('Network.requestWillBeSent', ({ requestId, request }) =>
    requests.set(requestId, { url: request.url, bytes: 0 }),
  )
  on('Network.dataReceived', ({ requestId, dataLength }) => {
    const found = requests.get(requestId)
    if (found) found.bytes += dataLength
  })
  on('Runtime.exceptionThrown', ({ exceptionDetails: { text, exception } }) =>
    complaints.push(`${text} ${exception?.description ?? ''}`),
  )
  on('Log.entryAdded', ({ entry }) => {
    if (entry.source === 'security') complaints.push(entry.text)
  })
  await Promise.all(['Page', 'Network', 'Runtime', 'Log'].map((domain) => send(`${domain}.enable`)))
  const read: Page['read'] = async (expression) => {
    const asked = { expression, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails } = await send('Runtime.evaluate', asked)
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }
  return {
    ...{ requests, complaints, read },
    async open(url) {
      await send('Page.navigate', { url })
      await eventually(async () => {
        if (!(await read(`document.readyState === 'complete' && location.href !== 'about:blank'`)))
          throw new Error(`${url} is not loaded`)
      }, START_MS)
    },
    async press(key, modifiers = 0) {
      const code = { Tab: TAB, Enter: 13, '/': 191, ArrowDown: 40 }[key]
      const about = { key, code: key, windowsVirtualKeyCode: code, modifiers }
      const text = { Enter: '\r', '/': '/' }[key]
      await send('Input.dispatchKeyEvent', { type: 'keyDown', ...about, ...(text && { text }) })
      await send('Input.dispatchKeyEvent', { type: 'keyUp', ...about })
    },
    type: async (text) => void (await send('Input.insertText', { text })),
    resize: async (width, height) => {
      const mobile = width < 500
      await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile })
    },
    setColours: async (value) => {
      await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] })
    },
    async screenshot(path) {
      const { data } = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true })
      await writeFile(path, Buffer.from(data, 'base64'))
    },
  }
}
