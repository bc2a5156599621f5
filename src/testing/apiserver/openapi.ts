/**
 * OpenAPI as kubectl needs it: schemas for `explain`; for `create` and `apply` that PATCH takes `fieldValidation`, so
 * that kubectl leaves validation to the server. No PATCH names its media types: kubectl would look for merge keys here.
 */
import { createHash } from 'node:crypto'
import { toJson } from './json.ts'
import type { Fields } from './object.ts'
import { componentName, componentSchemas } from './openapi-schemas.ts'
import type { Registry } from './registry.ts'
import type { Resource } from './resources.ts'

/** `/openapi/v3`: where the document of each group and version is, with a hash that changes when it does. */
export function openApiIndex(registry: Registry): Fields {
  const roots = new Set(registry.all().map(rootOf))
  const paths = [...roots].map(root => {
    const hash = createHash('sha512')
      .update(toJson(openApiDocument(registry, root)))
      .digest('hex')
      .toUpperCase()
    return [root, { serverRelativeURL: `/openapi/v3/${root}?hash=${hash}` }]
  })
  return { paths: Object.fromEntries(paths) }
}

function rootOf({ group, version }: Resource): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`
}

/** `/openapi/v3/api/v1` and the like; undefined where there is no such group and version. */
export function openApiDocument(registry: Registry, root: string): Fields | undefined {
  const resources = registry.all().filter(resource => rootOf(resource) === root)
  if (resources.length === 0) return undefined
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.32.0' },
    paths: Object.fromEntries(resources.map(resource => [objectPath(root, resource), pathItem(resource)])),
    components: { schemas: componentSchemas(resources) },
  }
}

function objectPath(root: string, { plural, namespaced }: Resource): string {
  return `/${root}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}/{name}`
}

function pathItem(resource: Resource): Fields {
  const { group, version, kind } = resource
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation'].map(name => ({
    name,
    in: 'query',
    schema: { type: 'string', uniqueItems: true },
  }))
  const schema = { $ref: `#/components/schemas/${componentName(resource)}` }
  const responses = { 200: { description: 'OK', content: { 'application/json': { schema } } } }
  const about = { responses, 'x-kubernetes-group-version-kind': { group, version, kind } }
  return { get: about, patch: { parameters, ...about } }
}

/** `/openapi/v2` for clients before 1.24, as they ask for it, in protobuf: a document without definitions. */
export function openApiV2Protobuf(): Buffer {
  const field = (number: number, bytes: Buffer) =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
  const text = (number: number, value: string) => field(number, Buffer.from(value))
  const info = Buffer.concat([text(1, 'Kubernetes'), text(2, 'v1.32.0')]) // Info: title, version
  return Buffer.concat([text(1, '2.0'), field(2, info), field(8, Buffer.alloc(0))]) // Document: swagger, info, paths
}

export const OPENAPI_V2: Fields = { swagger: '2.0', info: { title: 'Kubernetes', version: 'v1.32.0' }, paths: {} }
