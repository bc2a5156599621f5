export { type Cluster, clusterOf, locate, objectsOf, speakerNodes } from './cluster.ts'
export { type ExplainOptions, type Explanation, explainService, worldOf } from './explain.ts'
