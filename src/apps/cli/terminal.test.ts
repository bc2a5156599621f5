import assert from 'node:assert/strict'
import { test } from 'node:test'
import { style, table } from './terminal.ts'

test('columns line up and no line ends in spaces', () => {
  const rows = [
    ['NAME', 'STATE'],
    ['node10', 'ok'],
    ['x', ''],
  ]
  assert.equal(table(rows, '  '), '  NAME    STATE\n  node10  ok\n  x')
})

test('there is no colour where the output is not a terminal', () => {
  assert.equal(style('text', 'bold'), process.stdout.isTTY ? '\x1b[1mtext\x1b[22m' : 'text')
})
