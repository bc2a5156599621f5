import { test } from 'node:test'
import { fuzzWatch } from './kube-watch.ts'

const SEEDS = 40

for (let seed = 1; seed <= SEEDS; seed++)
  test(`list and watch come through disturbances, seed ${seed}`, () => fuzzWatch(seed))
