import { createSecretKey } from 'node:crypto'
import type ssh2 from 'ssh2'

/** The part of a client that ssh2 does not declare. */
type Insides = { readonly _protocol?: { readonly _cipher?: { _encKey?: unknown } } }

/**
 * Makes the key that a client encrypts with a key object. Where ssh2 has no native part it begins each packet with the
 * bytes of the key, and to take them over costs more than to encrypt 32 KB. Changes nothing for other ciphers.
 */
export function keepKeyReady(client: ssh2.Client): void {
  const cipher = (client as unknown as Insides)._protocol?._cipher
  if (Buffer.isBuffer(cipher?._encKey)) cipher._encKey = createSecretKey(cipher._encKey)
}
