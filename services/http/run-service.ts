import { setTimeout as wait } from 'node:timers/promises'
import type { Environment, Settings } from '../settings.ts'
import { type Listener, listen } from './listener.ts'
import type { Log } from './log.ts'
import type { ServiceBase } from './service.ts'

export type Running = {
  /** Lets clients go without losing a request; resolves when the process may end. */
  drain(): Promise<void>
}

/** Starts one kind of service. */
export type StartService = (settings: Settings, env: Environment, log: Log) => Promise<Running>

export type RunOptions = {
  readonly settings: Settings
  readonly log: Log
  /** Resolves when clients may come; until then only the port of its own answers, where there is one. */
  readonly ready?: Promise<void>
}

/**
 * Serves until drained, and tells the parent process its ports. A service whose port is shared with other tasks listens
 * there only once it is ready, so that no client reaches it before.
 */
export async function runService(base: ServiceBase, options: RunOptions): Promise<Running> {
  const { app, handle, beginDraining } = base
  const { settings, log, ready } = options
  const { host, port } = settings
  const isShared = settings.hasAdminPort && ready !== undefined
  const listeners: Listener[] = []
  let isDraining = false
  await app.ready()
  const open = async (name: 'listening' | 'admin', address: Parameters<typeof listen>[1]) => {
    const listener = await listen(handle, address, log)
    listeners.push(listener)
    log(name, { port: listener.port })
    process.send?.({ [name]: listener.port })
  }
  if (isShared) {
    await open('admin', { host: '127.0.0.1', port: 0, exclusive: true })
    void ready.then(() => (isDraining ? undefined : open('listening', { host, port, exclusive: false })))
  } else await open('listening', { host, port, exclusive: true })

  return {
    async drain() {
      isDraining = true
      beginDraining()
      log('draining')
      await wait(settings.lameDuckMs)
      const closed = Promise.all(listeners.map((listener) => listener.stopAccepting()))
      await Promise.race([closed, wait(settings.graceMs)])
      log('drained')
    },
  }
}
