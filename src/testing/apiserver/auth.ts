/** Who asks: by bearer token from a static list, or by a client certificate of the server's own CA. */
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { ApiError } from './errors.ts'

export interface User {
  readonly name: string
  readonly groups: readonly string[]
}

export interface TokenUser {
  readonly token: string
  readonly user: string
  readonly groups?: readonly string[]
}

export class Tokens {
  readonly #users = new Map<string, User>()

  constructor(list: readonly TokenUser[]) {
    for (const { token, user, groups = [] } of list)
      this.#users.set(token, { name: user, groups: allGroups(user, groups) })
  }

  userOf(token: string): User | undefined {
    return this.#users.get(token)
  }

  tokenOf(user: string): string | undefined {
    return [...this.#users].find(([, { name }]) => name === user)?.[0]
  }
}

/** With the groups that every user, and every service account, belongs to. */
function allGroups(user: string, groups: readonly string[]): string[] {
  const account = /^system:serviceaccount:([^:]+):/.exec(user)
  const more = account === null ? [] : ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`]
  return [...new Set([...groups, ...more, 'system:authenticated'])]
}

/** Throws 401 where the request carries no identity, or a wrong one. */
export function authenticate(request: IncomingMessage, tokens: Tokens): User {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const user = bearer === undefined ? certificateUser(request) : tokens.userOf(bearer)
  if (user === undefined) throw new ApiError(401, 'Unauthorized', 'Unauthorized')
  return user
}

function certificateUser({ socket }: IncomingMessage): User | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const { CN, O } = socket.getPeerCertificate().subject ?? {}
  if (CN === undefined) return undefined
  return { name: String(CN), groups: allGroups(String(CN), O === undefined ? [] : [O].flat()) }
}
