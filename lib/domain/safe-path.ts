const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/

/** Whether a path stays inside the directory of its generation: plain names, at most one directory deep. */
export function isSafePath(path: string): boolean {
  const names = path.split('/')
  return names.length <= 2 && names.every((name) => NAME.test(name))
}
