import { type Address, addressBytes, addressFromBytes } from '../../../core/ip/index.ts'
import { type AttributeCodec, exactly, OPTIONAL, pieces } from './kind.ts'

/** RFC 4456 section 8: the router that brought the route into the AS. */
export interface OriginatorId {
  readonly kind: 'originator id'
  readonly identifier: Address
}

/** RFC 4456 section 8: the clusters that the route has passed. */
export interface ClusterList {
  readonly kind: 'cluster list'
  readonly clusters: readonly Address[]
}

export const originatorId: AttributeCodec<'originator id'> = {
  type: 9,
  flags: OPTIONAL,
  onFault: 'treat as withdraw', // RFC 7606 section 7.9
  decode: value => ({ kind: 'originator id', identifier: addressFromBytes(exactly(4, value).rest())! }),
  encode: ({ identifier }, value) => void value.put(addressBytes(identifier)),
}

export const clusterList: AttributeCodec<'cluster list'> = {
  type: 10,
  flags: OPTIONAL,
  onFault: 'treat as withdraw', // RFC 7606 section 7.10
  decode: value => ({
    kind: 'cluster list',
    clusters: pieces(4, value, reader => addressFromBytes(reader.take(4))!),
  }),
  encode: ({ clusters }, value) => {
    for (const cluster of clusters) value.put(addressBytes(cluster))
  },
}
