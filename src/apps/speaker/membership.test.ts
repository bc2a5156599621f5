import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fatal } from '../daemon.ts'
import { parseFlags } from '../flags.ts'
import { type SpeakerFlags, speakerFlags } from './flags.ts'
import { checkMembership } from './membership.ts'

const SEEN = ['--ml-bindaddr=192.0.2.1', '--ml-labels=app=metallb']

for (const flag of ['--require-majority', '--hold-down=30s'])
  test(`${flag} is refused where speakers do not see one another`, () => {
    const check = (...flags: string[]) => checkMembership(parse([flag, ...flags]))
    const name = /[a-z-]+[a-z]/.exec(flag)![0].replace(/^--/, '')
    for (const some of [[], SEEN.slice(0, 1), SEEN.slice(1)])
      assert.throws(
        () => check(...some),
        (error: Fatal) => error instanceof Fatal && error.fields.error === `${name} needs ml-bindaddr and ml-labels`,
      )
    check(...SEEN)
  })

test('without them nothing is refused', () => checkMembership(parse(['--hold-down=0'])))

test('a hold-down that is no duration is refused', () => {
  assert.throws(() => checkMembership(parse(['--hold-down=soon'])), Fatal)
})

function parse(args: string[]): SpeakerFlags {
  const parsed = parseFlags(speakerFlags, args, {})
  if (parsed.kind !== 'run') throw new Error(JSON.stringify(parsed))
  return parsed.flags
}
