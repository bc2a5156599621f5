import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultRules, NO_FAULTS } from './fault-rules.ts'

const drops = (text: string) => text.split('\n').filter(line => line.endsWith(' drop'))

test('nothing broken: the table is replaced by one without rules', () => {
  assert.match(faultRules(NO_FAULTS), /^add table bridge faults\ndelete table bridge faults\ntable bridge faults \{/)
  assert.deepEqual(drops(faultRules(NO_FAULTS)), [])
})

test('each group is cut from each other group, both ways', () => {
  const rules = faultRules({ ...NO_FAULTS, groups: [['node1'], ['node2', 'client']] })
  assert.deepEqual(drops(rules), [
    '    iifname { "node1" } oifname { "node2", "client" } drop',
    '    iifname { "node2", "client" } oifname { "node1" } drop',
  ])
})

test('loss hits the frames from a machine and those to it', () => {
  const rules = faultRules({ ...NO_FAULTS, loss: new Map([['node1', 30]]) })
  assert.deepEqual(drops(rules), [
    '    iifname "node1" numgen random mod 100 < 30 drop',
    '    oifname "node1" numgen random mod 100 < 30 drop',
  ])
})
