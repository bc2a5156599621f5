/** The lines of chapter 03 section 1.12 for what happens in the responder's thread. */
import type { LogFields } from '../../ports/index.ts'
import type { Conflict, Exchange, Failure, StationEvent } from '../../protocols/ethernet/index.ts'

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: LogFields
}

export type Protocol = 'ARP' | 'NDP'

export function stationLine(protocol: Protocol, event: Exclude<StationEvent, Conflict>): Line {
  const word = protocol.toLowerCase()
  switch (event.kind) {
    case 'created':
      return info(`create${protocol}Responder`, event.interface, `created ${protocol} responder for interface`)
    case 'deleted':
      return info(`delete${protocol}Responder`, event.interface, `deleted ${protocol} responder for interface`)
    case 'answered': {
      const msg = `got ${protocol} request for service IP, sending response`
      return { level: 'debug', fields: { ...exchangeFields(protocol, event.exchange), msg } }
    }
    case 'ignored': {
      const { ip, interface: name } = event.exchange
      return {
        level: 'debug',
        fields: { op: `${word}RequestIgnore`, ip, interface: name, reason: 'notMatchInterface' },
      }
    }
    case 'replyFailed': {
      const fields = { op: `${word}Reply`, ...exchangeFields(protocol, event.exchange), error: event.error.message }
      return { level: 'error', fields: { ...fields, msg: `failed to send ${protocol} reply` } }
    }
    case 'revealed': {
      const { interface: name, node, reason, addresses } = event
      const msg = `announcing what was taken over quietly from ${node}: ${REVEALED[reason]}`
      return { level: 'info', fields: { event: 'quietTakeoverEnded', interface: name, node, reason, addresses, msg } }
    }
    default:
      return failure(protocol, event)
  }
}

const REVEALED = {
  noEvidence: 'its kernel does not answer on the interface',
  unreachable: 'its kernel answers no more',
} as const

function info(event: string, name: string, msg: string): Line {
  return { level: 'info', fields: { event, interface: name, msg } }
}

function failure(protocol: Protocol, { kind, interface: name, ip, error }: Failure): Line {
  const [op, msg] = failureWords(protocol)[kind]
  return { level: 'error', fields: { op, ...(ip && { ip }), interface: name, error: error.message, msg } }
}

function failureWords(protocol: Protocol): Record<Failure['kind'], readonly [op: string, msg: string]> {
  const deaf = 'NDP responder will not respond to requests for this address'
  return {
    createFailed: [`create${protocol}Responder`, `failed to create ${protocol} responder`],
    gratuitousFailed: ['gratuitousAnnounce', `failed to make gratuitous ${protocol} announcement`],
    watchFailed: ['watchMulticastGroup', `failed to watch NDP multicast group for IP, ${deaf}`],
    unwatchFailed: ['unwatchMulticastGroup', 'failed to unwatch NDP multicast group for IP'],
  }
}

/** NDP has its own word for the sender's MAC. */
function exchangeFields(protocol: Protocol, { senderMAC, ...exchange }: Exchange): LogFields {
  return protocol === 'ARP' ? { ...exchange, senderMAC } : { ...exchange, senderLLAddr: senderMAC }
}
