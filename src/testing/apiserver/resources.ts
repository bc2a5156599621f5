/** What the server knows of a kind of object: its names, what it can do and what is special about it. */
import type { ResourceType } from '../../core/object.ts'
import type { Cluster } from './cluster.ts'
import type { Cause } from './errors.ts'
import type { Fields, KubeJson } from './object.ts'
import type { MergeKeys } from './patch.ts'
import type { Schema } from './schema.ts'
import type { Column } from './table.ts'

/** Completes an object before it is stored (it may change the object) and answers what is wrong with it. */
export type Admit = (object: KubeJson, before: KubeJson | undefined, cluster: Cluster) => Cause[]

export interface Resource extends ResourceType {
  /** `group/plural`: the key in the store. */
  readonly id: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  /** The version objects are kept in; other served versions differ in apiVersion only, unless there is a conversion. */
  readonly storageVersion: string
  /** The clientConfig of the webhook that converts between the versions. */
  readonly conversion?: Fields
  readonly verbs: readonly string[]
  /** Writes of the object leave status alone, and the other way round. */
  readonly statusSubresource: boolean
  /** The API server counts changes of everything but metadata and status. */
  readonly countsGenerations: boolean
  /** Made by a CustomResourceDefinition: no strategic merge, status writes keep metadata. */
  readonly custom: boolean
  /** A PUT without a resourceVersion is refused. */
  readonly needsRevision: boolean
  readonly names: 'subdomain' | 'label' | 'label-1035' | 'path'
  /** Field selectors beside metadata.name and metadata.namespace. */
  readonly selectable: readonly string[]
  readonly mergeKeys: MergeKeys
  readonly columns: readonly Column[]
  readonly schema?: Schema
  readonly admit?: Admit
}

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

type Given = Pick<Resource, 'group' | 'version' | 'kind' | 'plural'> & Partial<Resource>

export function defineResource(given: Given): Resource {
  return {
    id: `${given.group}/${given.plural}`,
    namespaced: true,
    singular: given.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    storageVersion: given.version,
    verbs: ALL_VERBS,
    statusSubresource: false,
    countsGenerations: false,
    custom: false,
    needsRevision: given.custom ?? false,
    names: 'subdomain',
    selectable: [],
    mergeKeys: {},
    columns: [],
    ...given,
  }
}
