/** What a Service would hold, against what others hold at an address already. */
import type { Address } from '../ip/index.ts'
import type { Service } from '../service.ts'
import { Refusal, refuse } from './refusal.ts'
import { portClashText, portNames, shareKeyOf, sharesWith, sharingReason } from './share.ts'
import { clashingPort, type Holding, type Use } from './space.ts'
import type { Place } from './table.ts'
import { quote } from './text.ts'

export function holdingOf(service: Service): Holding {
  return { key: service.key, ports: portNames(service), share: shareKeyOf(service) }
}

export function sameHolding(a: Holding, b: Holding): boolean {
  if (a.share.group !== b.share.group) return false
  return a.ports.length === b.ports.length && a.ports.every((port, index) => port === b.ports[index])
}

export function useAt({ state, family, rank }: Place): Use | undefined {
  return state.spaces[family].uses.get(rank)
}

/** Rule of section 2.6; the key clash is reported before the port clash. */
export function sharingObjection(service: Service, holding: Holding, place: Place, address: Address, learned: boolean) {
  const use = useAt(place)
  if (use === undefined) return undefined
  const needs = [{ kind: 'address', ...address } as const]
  const strangers = strangersAt(use, holding, learned)
  if (strangers.length > 0) {
    const names = [...use.holders.keys()].filter(key => key !== service.key).sort()
    const message = `can't change sharing key for ${quote(service.key)}, address also in use by ${names.join(',')}`
    const reasons = strangers.map(({ key, share }) => sharingReason(service, holding.share, key, share))
    return new Refusal(message, reasons, needs)
  }
  const port = clashingPort(use, holding)
  return port === undefined ? undefined : refuse('portInUse', portClashText(port, address), needs)
}

/** Others on the address that the Service may not share with. */
function strangersAt(use: Use, { key, share }: Holding, learned: boolean): Holding[] {
  if (share.group !== '' && use.group === share.group) return []
  return [...use.holders.values()].filter(other => other.key !== key && !sharesWith(other.share, share, learned))
}
