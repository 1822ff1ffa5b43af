/** What `promise` resolves to; raises the reason of `signal` as soon as it aborts. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const listener = () => reject(signal.reason)
  if (signal.aborted) listener()
  signal.addEventListener('abort', listener, { once: true })
  try {
    return await Promise.race([aborted, promise])
  } finally {
    signal.removeEventListener('abort', listener)
  }
}
