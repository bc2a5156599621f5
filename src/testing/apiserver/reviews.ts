/** Questions in the form of objects: who has this token, may this user do this, what may I do. Nothing is stored. */
import type { Tokens, User } from './auth.ts'
import { badRequest } from './errors.ts'
import { type Fields, fieldsAt, isFields, timestamp } from './object.ts'
import { type Attributes, isAllowed, rulesFor } from './rbac.ts'
import type { Store } from './store.ts'

export interface ReviewContext {
  readonly store: Store
  readonly tokens: Tokens
  readonly user: User
  /** False where the server lets everyone do everything. */
  readonly rbac: boolean
}

interface Review {
  readonly group: string
  readonly kind: string
  readonly plural: string
  readonly namespaced?: boolean
  readonly answer: (spec: Fields, context: ReviewContext) => Fields
}

const AUTHENTICATION = 'authentication.k8s.io'
const AUTHORIZATION = 'authorization.k8s.io'

export const REVIEWS: readonly Review[] = [
  { group: AUTHENTICATION, kind: 'TokenReview', plural: 'tokenreviews', answer: reviewToken },
  {
    group: AUTHENTICATION,
    kind: 'SelfSubjectReview',
    plural: 'selfsubjectreviews',
    answer: (_spec, { user }) => ({ userInfo: userInfo(user) }),
  },
  { group: AUTHORIZATION, kind: 'SubjectAccessReview', plural: 'subjectaccessreviews', answer: reviewAccess },
  {
    group: AUTHORIZATION,
    kind: 'LocalSubjectAccessReview',
    plural: 'localsubjectaccessreviews',
    namespaced: true,
    answer: reviewAccess,
  },
  {
    group: AUTHORIZATION,
    kind: 'SelfSubjectAccessReview',
    plural: 'selfsubjectaccessreviews',
    answer: (spec, context) => accessStatus(context, context.user, spec),
  },
  { group: AUTHORIZATION, kind: 'SelfSubjectRulesReview', plural: 'selfsubjectrulesreviews', answer: reviewRules },
]

export function findReview(group: string, version: string, plural: string): Review | undefined {
  return version === 'v1' ? REVIEWS.find(review => review.group === group && review.plural === plural) : undefined
}

export function answerReview(review: Review, body: unknown, context: ReviewContext): Fields {
  if (!isFields(body)) throw badRequest(`a ${review.kind} must be a JSON object`)
  const metadata = { creationTimestamp: timestamp() }
  const spec = fieldsAt(body, 'spec')
  const head = { kind: review.kind, apiVersion: `${review.group}/v1`, metadata }
  return { ...head, spec, status: review.answer(spec, context) }
}

function userInfo({ name, groups }: User): Fields {
  return { username: name, groups }
}

function reviewToken({ token }: Fields, { tokens }: ReviewContext): Fields {
  const user = tokens.userOf(String(token ?? ''))
  return user === undefined
    ? { authenticated: false, user: {}, error: 'invalid bearer token' }
    : { authenticated: true, user: userInfo(user) }
}

function reviewAccess(spec: Fields, context: ReviewContext): Fields {
  const groups = Array.isArray(spec.groups) ? spec.groups.map(String) : []
  return accessStatus(context, { name: String(spec.user ?? ''), groups }, spec)
}

function accessStatus({ store, rbac }: ReviewContext, user: User, spec: Fields): Fields {
  return { allowed: !rbac || isAllowed(store, user, attributesOf(spec)) }
}

function attributesOf(spec: Fields): Attributes {
  const text = (fields: Fields, name: string) => (fields[name] ? String(fields[name]) : undefined)
  if (isFields(spec.nonResourceAttributes)) {
    const { nonResourceAttributes: asked } = spec
    return { verb: text(asked, 'verb') ?? '', path: text(asked, 'path') ?? '' }
  }
  const asked = fieldsAt(spec, 'resourceAttributes')
  return {
    verb: text(asked, 'verb') ?? '',
    group: text(asked, 'group'),
    resource: text(asked, 'resource'),
    subresource: text(asked, 'subresource'),
    namespace: text(asked, 'namespace'),
    name: text(asked, 'name'),
  }
}

function reviewRules(spec: Fields, { store, user, rbac }: ReviewContext): Fields {
  const everything = [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ]
  const all = !rbac || user.groups.includes('system:masters')
  const rules = all ? everything : rulesFor(store, user, String(spec.namespace ?? ''))
  const about = (field: string) => rules.filter(rule => Array.isArray((rule as Fields)[field]))
  return { resourceRules: about('resources'), nonResourceRules: about('nonResourceURLs'), incomplete: false }
}
