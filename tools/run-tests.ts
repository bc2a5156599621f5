// Runs the tests of one kind with Node's own runner: `unit` (beside the code, contract and fuzz) or `e2e`.
// With CI=true a skipped test fails the run, unless its reason says that this kernel lacks something.
import { globSync } from 'node:fs'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

/**
 * `seconds` is what one file may take: a file that hangs must not take the suite with it. The simulations of a hundred
 * speakers take half a minute of a processor, which were more than 300 s on two processors with a load of 25.
 */
const SUITES: Record<string, { files: string[]; concurrency: number; seconds: number }> = {
  unit: {
    files: ['src/**/*.test.ts', 'test/contract/**/*.test.ts', 'test/fuzz/**/*.test.ts'],
    concurrency: 2,
    seconds: 600,
  },
  e2e: { files: ['test/e2e/**/*.test.ts', 'test/interop/**/*.test.ts'], concurrency: 1, seconds: 600 },
}

/** Part of how the image starts Node (`--single-threaded`): real-time threads must not wait for helper threads of V8. */
const EXEC_ARGV = ['--single-threaded-gc']

const [name = 'unit', ...patterns] = process.argv.slice(2)
const suite = SUITES[name]
if (suite === undefined) {
  console.error(`no such suite: ${name} (there are ${Object.keys(SUITES).join(', ')})`)
  process.exit(2)
}
const files = globSync(patterns.length > 0 ? patterns : suite.files).sort()
if (files.length === 0) {
  console.error(`suite ${name} has no test files: a run without tests is a failure`)
  process.exit(1)
}

const counts = { passed: 0, failed: 0, skipped: 0 }
const failures: string[] = []
const forbidden: string[] = []
const stream = run({ files, concurrency: suite.concurrency, timeout: suite.seconds * 1000, execArgv: EXEC_ARGV })
stream.on('test:pass', ({ name: test, skip, details, file }) => {
  if (details.type === 'suite' || test === file) return
  if (skip === undefined) counts.passed++
  else {
    counts.skipped++
    console.log(`skipped: ${test}: ${skip === true ? 'no reason given' : skip}`)
    if (!String(skip).includes('kernel lacks')) forbidden.push(test)
  }
})
stream.on('test:fail', ({ name: test, details, file, line }) => {
  // A suite fails with its tests, which say why; or in a hook, of which its tests know nothing.
  const { failureType, cause } = details.error as Error & { failureType?: string }
  if (details.type === 'suite' && failureType !== 'hookFailed') return
  counts.failed++
  const error = cause instanceof Error ? cause : details.error
  failures.push(`${file}:${line} ${test}\n${error.stack ?? error.message}`)
})
const verbose = process.env.VERBOSE === 'true'
if (verbose) stream.compose(spec).pipe(process.stdout)
else stream.resume()
stream.on('end', () => {
  for (const failure of failures) console.error(`\n✖ ${failure}`)
  const skipsFail = process.env.CI === 'true' && forbidden.length > 0
  if (skipsFail) console.error(`\nin CI nothing may be skipped, and these were: ${forbidden.join('; ')}`)
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  process.exit(counts.failed > 0 || counts.passed === 0 || skipsFail ? 1 : 0)
})
