import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

const DIRECTORY = join(import.meta.dirname, '../../node_modules/.cache/longshore')

/**
 * Keeps what Node.js compiles from here on for the next command, whose start then costs half; among the packages of the
 * project nobody else can put something there. Plain JavaScript, because TypeScript would have to be compiled first.
 */
export function keepCompiled() {
  enableCompileCache(DIRECTORY)
}
