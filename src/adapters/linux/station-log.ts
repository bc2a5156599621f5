/** The lines of chapter 03 section 1.12 for what happens in the responder's thread. */
import type { LogFields } from '../../ports/index.ts'
import type { Conflict, Failure, StationEvent } from '../../protocols/arp/index.ts'

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: LogFields
}

export function stationLine(event: Exclude<StationEvent, Conflict>): Line {
  switch (event.kind) {
    case 'created':
      return info('createARPResponder', event.interface, 'created ARP responder for interface')
    case 'deleted':
      return info('deleteARPResponder', event.interface, 'deleted ARP responder for interface')
    case 'createFailed':
      return failure('createARPResponder', event, 'failed to create ARP responder')
    case 'gratuitousFailed':
      return failure('gratuitousAnnounce', event, 'failed to make gratuitous ARP announcement')
    case 'answered':
      return { level: 'debug', fields: { ...event.exchange, msg: 'got ARP request for service IP, sending response' } }
    case 'ignored': {
      const { ip, interface: name } = event.exchange
      return { level: 'debug', fields: { op: 'arpRequestIgnore', ip, interface: name, reason: 'notMatchInterface' } }
    }
    case 'replyFailed': {
      const fields = { op: 'arpReply', ...event.exchange, error: event.error.message, msg: 'failed to send ARP reply' }
      return { level: 'error', fields }
    }
  }
}

function info(event: string, name: string, msg: string): Line {
  return { level: 'info', fields: { event, interface: name, msg } }
}

function failure(op: string, { interface: name, ip, error }: Failure, msg: string): Line {
  return { level: 'error', fields: { op, ...(ip && { ip }), interface: name, error: error.message, msg } }
}
