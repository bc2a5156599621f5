export { type Cluster, clusterOf, speakerNodes } from './cluster.ts'
export { type ExplainOptions, type Explanation, explainService } from './explain.ts'
