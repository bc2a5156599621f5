/** The configuration before 0.13, the YAML inside a ConfigMap: chapter 05 section 5.1. */
import { list, record, type Schema } from '../schema.ts'

export interface OldConfig {
  peers?: OldPeer[]
  'address-pools'?: OldPool[]
  'bfd-profiles'?: OldBfdProfile[]
  'bgp-communities'?: Record<string, string>
}

export interface OldPeer {
  'my-asn'?: number
  'peer-asn'?: number
  'peer-address'?: string
  'source-address'?: string
  'peer-port'?: number
  'hold-time'?: string
  'keepalive-time'?: string
  'router-id'?: string
  'node-selectors'?: {
    'match-labels'?: Record<string, string>
    'match-expressions'?: { key?: string; operator?: string; values?: string[] }[]
  }[]
  password?: string
  'bfd-profile'?: string
  'ebgp-multihop'?: boolean
}

export interface OldPool {
  name?: string
  protocol?: string
  addresses?: string[]
  'auto-assign'?: boolean
  'avoid-buggy-ips'?: boolean
  'bgp-advertisements'?: OldAdvertisement[]
}

export interface OldAdvertisement {
  'aggregation-length'?: number
  'aggregation-length-v6'?: number
  localpref?: number
  communities?: string[]
}

export interface OldBfdProfile {
  name?: string
  'receive-interval'?: number
  'transmit-interval'?: number
  'detect-multiplier'?: number
  'echo-interval'?: number
  'echo-mode'?: boolean
  'passive-mode'?: boolean
  'minimum-ttl'?: number
}

const TEXT: Schema = { type: 'string' }
const FLAG: Schema = { type: 'boolean' }
const NUMBER: Schema = { type: 'integer' }
const TEXTS = list(TEXT, '')
const MAP: Schema = { type: 'object', additionalProperties: TEXT }

const expression = record({ key: TEXT, operator: TEXT, values: TEXTS }, '')
const selector = record({ 'match-labels': MAP, 'match-expressions': list(expression, '') }, '')

const peer = record(
  {
    'my-asn': NUMBER,
    'peer-asn': NUMBER,
    'peer-address': TEXT,
    'source-address': TEXT,
    'peer-port': NUMBER,
    'hold-time': TEXT,
    'keepalive-time': TEXT,
    'router-id': TEXT,
    'node-selectors': list(selector, ''),
    password: TEXT,
    'bfd-profile': TEXT,
    'ebgp-multihop': FLAG,
  },
  '',
)

const advertisement = record(
  { 'aggregation-length': NUMBER, 'aggregation-length-v6': NUMBER, localpref: NUMBER, communities: TEXTS },
  '',
)

const pool = record(
  {
    name: TEXT,
    protocol: TEXT,
    addresses: TEXTS,
    'auto-assign': FLAG,
    'avoid-buggy-ips': FLAG,
    'bgp-advertisements': list(advertisement, ''),
  },
  '',
)

const bfdProfile = record(
  {
    name: TEXT,
    'receive-interval': NUMBER,
    'transmit-interval': NUMBER,
    'detect-multiplier': NUMBER,
    'echo-interval': NUMBER,
    'echo-mode': FLAG,
    'passive-mode': FLAG,
    'minimum-ttl': NUMBER,
  },
  '',
)

export const OLD_CONFIG = record(
  {
    peers: list(peer, ''),
    'address-pools': list(pool, ''),
    'bfd-profiles': list(bfdProfile, ''),
    'bgp-communities': MAP,
  },
  '',
)
