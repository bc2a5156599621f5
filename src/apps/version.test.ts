import assert from 'node:assert/strict'
import { test } from 'node:test'
import { versionText } from './version.ts'

const cases: [string, string, string, string][] = [
  ['1.2', 'abc', 'main', 'version 1.2 (commit abc, branch main)'],
  ['', 'abc', 'main', '(commit abc, branch main)'],
  ['1.2', '', '', 'version 1.2 (no build information)'],
  ['', '', '', '(no version or build info)'],
]
for (const [version, commit, branch, expected] of cases)
  test(expected, () => assert.equal(versionText({ version, commit, branch }), expected))
