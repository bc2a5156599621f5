export { PART_OVERHEAD } from './compound.ts'
export type { Keyring } from './keys.ts'
export { type EnvelopeOptions, packetBudget, unwrapPacket, wrapPacket } from './packet.ts'
export { unwrapStream, wrapStream } from './stream.ts'
