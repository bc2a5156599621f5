/** The source address of a peer, looked at anew for each attempt: it may not be there yet, or no more. */
import { type Address, formatAddress } from '../../core/ip/index.ts'
import type { Interfaces, StreamPort } from '../../ports/index.ts'
import { interfaceOf } from './settings.ts'

/**
 * Dials from the source where the node has it, else from where the system chooses, with a warning (decision 6). `tell`
 * gets the sentence when it changes.
 */
export function dialFrom(
  currentSource: () => Address | undefined,
  streams: StreamPort,
  interfaces: Interfaces,
  tell: (warning: string) => void,
): StreamPort {
  let told: string | undefined
  return {
    ...streams,
    connect: (target, events) => {
      const source = currentSource()
      if (source === undefined) return streams.connect(target, events)
      const problem = problemOf(source, target.address, interfaces)
      if (problem !== undefined && problem !== told) tell(problem)
      told = problem
      return streams.connect(problem === undefined ? { ...target, source } : target, events)
    },
  }
}

function problemOf(source: Address, peer: Address, interfaces: Interfaces): string | undefined {
  const text = `address "${formatAddress(source)}"`
  if (source.family !== peer.family) return `${text} is of another family than the peer`
  const known = interfaces.current()
  if (known.length === 0 || interfaceOf(source, known) !== undefined) return undefined // not known yet: let it try
  return `${text} doesn't exist on this host`
}
