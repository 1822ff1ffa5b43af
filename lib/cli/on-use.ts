/** An adapter that is loaded when it is first asked, for what hardly any command needs: `methods` names all that it has. */
export function onUse<Adapter extends Asked<Adapter>>(
  methods: Readonly<Record<keyof Adapter, true>>,
  load: () => Promise<Adapter>,
): Adapter {
  const names = Object.keys(methods) as (keyof Adapter)[]
  const entries = names.map((name) => [name, async (...args: never[]) => (await load())[name](...args)])
  return Object.fromEntries(entries) as Adapter
}

/** All of whose members are asked and answer later. */
type Asked<Adapter> = Readonly<Record<keyof Adapter, (...args: never[]) => Promise<unknown>>>
