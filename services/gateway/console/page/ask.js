const KEY = 'longshore-token'

/** The token is not the right one, or there is none. */
export class Refused extends Error {}

/** @param {string} token */
export const keepToken = (token) => sessionStorage.setItem(KEY, token)
export const forgetToken = () => sessionStorage.removeItem(KEY)

/**
 * What the gateway answers to a path below /console/v1/; with a body, to a POST.
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>}
 * @throws {Refused} and Error in the words of the gateway
 */
export async function ask(path, body) {
  const token = sessionStorage.getItem(KEY)
  const reply = await fetch(`v1/${path}`, {
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  })
  const answer = await reply.json().catch(() => ({}))
  if (reply.status === 401) throw new Refused(token === null ? '' : 'This token is not the right one.')
  if (!reply.ok) throw new Error(answer.error?.message ?? `the gateway answered ${reply.status}`)
  return answer
}
