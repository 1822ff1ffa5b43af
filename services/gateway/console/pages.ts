import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'

const FILES = {
  '': ['index.html', 'text/html; charset=utf-8'],
  'style.css': ['style.css', 'text/css; charset=utf-8'],
  'icon.svg': ['icon.svg', 'image/svg+xml'],
  ...scripts('app', 'ask', 'dom', 'fleet', 'hits', 'map', 'try', 'words'),
} as const

/** Nothing from elsewhere, nothing inline, in no frame, and no forms sent anywhere. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
}

/** Adds the files of the page. They tell nothing of the fleet, so that everybody may read them. */
export function addPages(app: FastifyInstance): void {
  // Relative, so that it holds behind a proxy that serves the gateway below a path.
  app.get('/console', (_request, reply) => reply.status(308).header('location', 'console/').send())
  for (const [name, [file, type]] of Object.entries(FILES)) {
    const content = readFileSync(fileURLToPath(new URL(`page/${file}`, import.meta.url)))
    app.get(`/console/${name}`, (_request, reply) => reply.headers(HEADERS).type(type).send(content))
  }
}

function scripts(...names: string[]): Record<string, readonly [string, string]> {
  return Object.fromEntries(
    names.map((name) => [`${name}.js`, [`${name}.js`, 'text/javascript; charset=utf-8']]),
  )
}
