// Runs the tests of one kind with Node's own runner: `unit` (beside the code, and test/contract), `e2e`, `fuzz`.
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'

const SUITES: Record<string, { files: string[]; concurrency: number }> = {
  unit: { files: ['src/**/*.test.ts', 'test/contract/**/*.test.ts', 'test/fuzz/**/*.test.ts'], concurrency: 2 },
  e2e: { files: ['test/e2e/**/*.test.ts'], concurrency: 1 },
}

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
const child = spawn(process.execPath, ['--test', `--test-concurrency=${suite.concurrency}`, ...files], {
  stdio: 'inherit',
})
child.on('exit', code => process.exit(code ?? 1))
