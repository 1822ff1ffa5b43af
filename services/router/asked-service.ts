/** Which service a request is for, and the request as another name is asked for it. */
export type AskedService = {
  /** In lower case; undefined where it names none. */
  readonly name: string | undefined
  /** Whether it may be recorded and copied: a prediction changes nothing. */
  readonly isPrediction: boolean
  /** Path and body under another name; the very same bytes where the name stays. */
  rename(service: string): { readonly path: string; readonly body: Buffer | undefined }
}

const PREDICT = /^\/predict\/?(?:\?|$)/
const SERVICE = /^\/services\/([^/?]+)/

/** Reads the name where DeepDetect's API has it: in the body of /predict, and in the path of /services/NAME. */
export function findAskedService(path: string, body: Buffer | undefined): AskedService {
  if (PREDICT.test(path)) return readPrediction(path, body)
  const [, encoded] = SERVICE.exec(path) ?? []
  if (encoded === undefined) return asItIs(path, body)
  const name = decode(encoded)
  return {
    name: name?.toLowerCase(),
    isPrediction: false,
    rename: (service) =>
      service === name
        ? { path, body }
        : { path: path.replace(SERVICE, `/services/${encodeURIComponent(service)}`), body },
  }
}

function readPrediction(path: string, body: Buffer | undefined): AskedService {
  const asked = parse(body)
  if (typeof asked?.service !== 'string') return asItIs(path, body)
  const { service: name } = asked
  return {
    name: name.toLowerCase(),
    isPrediction: true,
    rename: (service) => ({
      path,
      body: service === name ? body : Buffer.from(JSON.stringify({ ...asked, service })),
    }),
  }
}

function asItIs(path: string, body: Buffer | undefined): AskedService {
  return { name: undefined, isPrediction: false, rename: () => ({ path, body }) }
}

/** What is no JSON is the server's to refuse. */
function parse(body: Buffer | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(String(body))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}
