/** What is broken on the LAN, and the rules of the bridge that make it so. */
export interface LanFaults {
  /** Machines of different groups do not reach each other; a machine in no group reaches everybody. */
  readonly groups: readonly (readonly string[])[]
  /** Share of frames lost, in percent, of a machine's link, each way. */
  readonly loss: ReadonlyMap<string, number>
}

export const NO_FAULTS: LanFaults = { groups: [], loss: new Map() }

/** A table for the bridge that replaces the former one in a single step (`nft -f`). */
export function faultRules({ groups, loss }: LanFaults): string {
  const partitions = groups.flatMap((group, i) =>
    groups.filter((_, j) => j !== i).map(other => `iifname ${portSet(group)} oifname ${portSet(other)} drop`),
  )
  const losses = [...loss].flatMap(([name, percent]) =>
    ['iifname', 'oifname'].map(side => `${side} "${name}" numgen random mod 100 < ${percent} drop`),
  )
  const rules = ['type filter hook forward priority 0; policy accept;', ...partitions, ...losses]
  return [
    'add table bridge faults',
    'delete table bridge faults',
    'table bridge faults {',
    '  chain forward {',
    ...rules.map(rule => `    ${rule}`),
    '  }',
    '}\n',
  ].join('\n')
}

function portSet(names: readonly string[]): string {
  return `{ ${names.map(name => `"${name}"`).join(', ')} }`
}
