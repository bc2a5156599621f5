/** The endpoint that converts BGPPeers between their versions: chapter 01 section 4.4. */
import { toV1Beta1, toV1Beta2 } from '../../api/index.ts'
import type { KubeObject } from '../../core/object.ts'
import { answerReview, type Handler, isJson, type Json, type Reply, requestOf } from './review.ts'

/** The reviews that API servers speak; both have the same shape. */
const VERSIONS = ['apiextensions.k8s.io/v1', 'apiextensions.k8s.io/v1beta1']
const GROUP = 'metallb.io'
type Conversion = (object: never) => KubeObject

/** From one version to the other. */
const CONVERSIONS: Readonly<Record<string, { readonly to: string; readonly convert: Conversion }>> = {
  [`${GROUP}/v1beta1`]: { to: `${GROUP}/v1beta2`, convert: toV1Beta2 },
  [`${GROUP}/v1beta2`]: { to: `${GROUP}/v1beta1`, convert: toV1Beta1 },
}

export const convertReview: Handler = async (body): Promise<Reply> => {
  const request = requestOf(body, 'ConversionReview', VERSIONS)
  if (typeof request === 'string') return { status: 400, body: request }
  const { desiredAPIVersion, objects = [] } = request
  const converted = convertAll(Array.isArray(objects) ? objects : [objects], desiredAPIVersion)
  const response =
    typeof converted === 'string'
      ? { convertedObjects: [], result: { status: 'Failure', message: converted } }
      : { convertedObjects: converted, result: { status: 'Success' } }
  return answerReview(body as Json, response)
}

/** All, in order; or why one of them cannot be converted. */
function convertAll(objects: readonly unknown[], desired: unknown): KubeObject[] | string {
  const converted: KubeObject[] = []
  for (const [index, object] of objects.entries()) {
    const result = convert(object, desired)
    if (typeof result === 'string') return `objects[${index}]: ${result}`
    converted.push(result)
  }
  return converted
}

function convert(object: unknown, desired: unknown): KubeObject | string {
  if (!isJson(object) || !isJson(object.metadata)) return 'it is no Kubernetes object'
  const { kind, apiVersion } = object
  if (kind !== 'BGPPeer') return `unknown kind ${quoted(kind)}, only BGPPeer is converted`
  const known = typeof apiVersion === 'string' && Object.hasOwn(CONVERSIONS, apiVersion)
  if (!known) return `unknown version ${quoted(apiVersion)} of BGPPeer`
  if (desired === apiVersion) return `conversion is not allowed between same type ${apiVersion} BGPPeer`
  const conversion = CONVERSIONS[apiVersion]!
  if (conversion.to !== desired) return `unknown version ${quoted(desired)} of BGPPeer`
  try {
    return conversion.convert(object as never)
  } catch {
    return 'internal error occurred during conversion' // the object is not of the shape its schema asks for
  }
}

/** Not by JSON: whole numbers may be bigint. */
function quoted(value: unknown): string {
  return typeof value === 'string' ? `"${value.slice(0, 100)}"` : `(a ${typeof value})`
}
