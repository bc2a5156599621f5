/** BFDProfiles, chapter 01 section 2.10. */
import type { BfdProfile } from '../../core/config/index.ts'
import { type BFDProfileResource, bfdProfileCrd } from '../bfd-profile.ts'
import { type Reading, type Report, readObjects, reportOn, specSchema } from './objects.ts'

const FIELDS: Readonly<Record<string, string>> = {
  'spec.detectMultiplier': 'detect multiplier',
  'spec.receiveInterval': 'receive interval',
  'spec.transmitInterval': 'transmit interval',
  'spec.minimumTtl': 'minimum ttl',
  'spec.echoInterval': 'echo interval',
}

const READING: Reading = {
  kind: 'BFDProfile',
  noun: 'bfd profile',
  fields: { spec: specSchema(bfdProfileCrd) },
  wording: (name, { message, ...rest }) => {
    const field = Object.hasOwn(FIELDS, rest.path) ? `invalid ${FIELDS[rest.path]} value: ` : ''
    return { ...rest, message: `parsing bfd profile "${name}": ${field}${message}` }
  },
}

export function readBfdProfiles(objects: readonly BFDProfileResource[], report: Report): BFDProfileResource[] {
  return readObjects(READING, objects, report)
}

export function parseBfdProfiles(resources: readonly BFDProfileResource[], report: Report): BfdProfile[] {
  return resources.map(resource => {
    const {
      metadata: { name },
      spec = {},
    } = resource
    if (name === '')
      reportOn(READING.kind, resource, report).error({ path: 'metadata.name', message: 'missing bfd profile name' })
    const { receiveInterval, transmitInterval, detectMultiplier, echoInterval, minimumTtl } = spec
    return {
      name,
      receiveIntervalMs: receiveInterval,
      transmitIntervalMs: transmitInterval,
      detectMultiplier,
      echoIntervalMs: echoInterval,
      echoMode: spec.echoMode ?? false,
      passiveMode: spec.passiveMode ?? false,
      minimumTtl,
    }
  })
}
