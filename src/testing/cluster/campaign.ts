/**
 * Plays many scenarios, or one again: `node src/testing/cluster/campaign.ts --runs 1000 --from 1`, `--seed 7`. Prints what
 * was violated, with the scenario, and ends with 1 where anything was. `--speakers 100` for clusters of that size.
 */
import { parseArgs } from 'node:util'
import { play, scenarioOf, textOf } from './scenario.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    runs: { type: 'string', default: '100' },
    speakers: { type: 'string' },
  },
})
const first = Number(values.seed ?? values.from)
const runs = values.seed === undefined ? Number(values.runs) : 1
const speakers = values.speakers === undefined ? undefined : Number(values.speakers)

let failed = 0
const longest = { nobody: 0, several: 0 }
for (let seed = first; seed < first + runs; seed++) {
  const scenario = scenarioOf(seed, speakers)
  const outcome = await play(scenario)
  longest.nobody = Math.max(longest.nobody, outcome.longest.nobody)
  longest.several = Math.max(longest.several, outcome.longest.several)
  if (outcome.violations.length === 0 && values.seed === undefined) continue
  if (outcome.violations.length > 0) failed++
  console.log(`${textOf(scenario)}\n${outcome.violations.map(text => `✖ ${text}`).join('\n')}\n`)
}
const times = `longest without an answer ${Math.round(longest.nobody)} ms, with several ${Math.round(longest.several)} ms`
console.log(`${runs} scenarios, ${failed} failed; ${times}`)
process.exitCode = failed > 0 ? 1 : 0
