/** Request bodies. */
import type { IncomingMessage } from 'node:http'
import { parse as parseYaml } from 'yaml'
import { ApiError, badRequest, unsupportedMediaType } from './errors.ts'
import { parseJson } from './json.ts'
import { decodeProtobuf } from './protobuf.ts'

/** As etcd's limit and the API server's make it. */
const MAX_BODY_BYTES = 3 * 1024 * 1024

export function mediaType({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? 'application/json').split(';')[0]!.trim()
}

/** The body read as JSON or YAML; undefined where there is none. Throws 400, 413 or 415. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES)
      throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY_BYTES}`)
    chunks.push(chunk)
  }
  if (size === 0) return undefined
  const type = mediaType(request)
  const body = Buffer.concat(chunks)
  try {
    if (type.endsWith('json')) return parseJson(body.toString())
    if (type.endsWith('yaml')) return parseYaml(body.toString())
    if (type === 'application/vnd.kubernetes.protobuf') return decodeProtobuf(body)
  } catch (error) {
    if (error instanceof ApiError) throw error
    throw badRequest(`the object provided is unrecognized: ${(error as Error).message}`)
  }
  throw unsupportedMediaType(
    `the body of the request was in an unknown format: ${type}; this server reads JSON and YAML`,
  )
}
