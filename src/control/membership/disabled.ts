import type { Logger, Membership } from '../../ports/index.ts'

/** Membership off (chapter 03 section 4.2): every Node object counts, a dead speaker is not noticed. */
export function disabledMembership(log: Logger): Membership {
  const msg = 'not starting fast dead node detection (memberlist), need ml-bindaddr / ml-labels config'
  log.info({ op: 'startup', msg })
  log.info({ op: 'startup', msg: 'when memberlist is disabled, the speaker pods must run on all nodes' })
  return {
    members: () => undefined,
    subscribe: () => () => {},
    rejoin: () => {},
    joined: true,
    whenJoined: async () => {},
    activate: () => {},
    interfaces: () => new Map(), // nobody would hear it: what only this node believes, elections must not use
    publish: () => {},
  }
}
