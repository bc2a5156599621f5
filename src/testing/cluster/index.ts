export * from './cluster.ts'
export { type Outcome, play, type Scenario, type Step, scenarioOf, textOf } from './scenario.ts'
