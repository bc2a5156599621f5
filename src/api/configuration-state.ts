/** metallb.io/v1beta1 ConfigurationState: what one component makes of the configuration, chapter 01 sections 1.10, 5.4. */
import type { KubeObject, ResourceType } from '../core/object.ts'
import { crdVersion, defineCrd, list, record, text } from './schema.ts'

/** meta/v1 Condition. */
export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  /** RFC 3339. */
  lastTransitionTime: string
}

export interface ConfigurationStateResource extends KubeObject {
  status?: {
    result?: 'Valid' | 'Invalid' | 'Unknown'
    errorSummary?: string
    conditions?: Condition[]
  }
}

export const configurationStates: ResourceType<ConfigurationStateResource> = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'ConfigurationState',
  plural: 'configurationstates',
  namespaced: true,
}

/** The longest message a Condition can carry. */
export const MAX_CONDITION_MESSAGE = 32768

const condition = record(
  {
    lastTransitionTime: text('When the status changed last.', { format: 'date-time' }),
    message: text('What is wrong; empty when nothing is.', { maxLength: MAX_CONDITION_MESSAGE }),
    observedGeneration: {
      type: 'integer',
      format: 'int64',
      minimum: 0,
      description: 'Generation the condition is about; not set.',
    },
    reason: text('Why, in one word.', {
      minLength: 1,
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    }),
    status: text('True, False or Unknown.', { enum: ['True', 'False', 'Unknown'] }),
    type: text('What the condition is about.', {
      maxLength: 316,
      pattern:
        '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
    }),
  },
  'One aspect of the state.',
  { required: ['lastTransitionTime', 'message', 'reason', 'status', 'type'] },
)

const status = record(
  {
    conditions: list(condition, 'One entry for each reconciler.', {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    }),
    errorSummary: text('What is wrong; empty when the configuration is valid.'),
    result: text('The verdict.', { enum: ['Valid', 'Invalid', 'Unknown'] }),
  },
  'What the component makes of the configuration.',
)

export const configurationStateCrd = defineCrd(configurationStates, [
  crdVersion('v1beta1', true, {
    description: 'The state of the configuration as one component sees it.',
    properties: { status },
    columns: [
      { name: 'Result', type: 'string', jsonPath: '.status.result' },
      { name: 'ErrorSummary', type: 'string', jsonPath: '.status.errorSummary' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ],
  }),
])
