import type { SecureContextOptions, TLSSocket, TlsOptions } from 'node:tls'

/**
 * A secret of one run proves either side to the other. This cipher suite has no forward secrecy, which would protect
 * nothing here, since the secret is written nowhere and ends with the run; those that have it take half as long again.
 */
const SUITE: SecureContextOptions = {
  ciphers: 'PSK-AES256-GCM-SHA384',
  // Node.js takes keys agreed on beforehand for this version alone.
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
}

const IDENTITY = 'longshore-relay'
const HANDSHAKE_MS = 5000

/** How a relay lets others in that know the secret. */
export function createListenOptions(secret: Buffer): TlsOptions {
  return {
    ...SUITE,
    handshakeTimeout: HANDSHAKE_MS,
    pskCallback: (_socket: TLSSocket, identity: string) => (identity === IDENTITY ? secret : null),
  }
}

/** How a relay connects to another one that knows the secret. */
export function createConnectOptions(secret: Buffer) {
  return {
    ...SUITE,
    pskCallback: () => ({ psk: secret, identity: IDENTITY }),
    // There are no certificates: whoever knows the secret is the one meant.
    checkServerIdentity: () => undefined,
  }
}
