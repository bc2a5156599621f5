export { type Cluster, clusterOf, locate, objectsOf, speakerNodes } from './cluster.ts'
export {
  type Explained,
  type ExplainOptions,
  type Explanation,
  explainService,
  type StaleProcess,
  type Told,
  worldOf,
} from './explain.ts'
export { type Answers, isTold, NOT_ASKED, type ServiceView, type SessionView } from './speakers.ts'
