import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock as clock } from '../../adapters/system/clock.ts'
import { openUdp } from '../../adapters/system/udp.ts'
import { pods } from '../../api/index.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { Fatal, type Platform } from '../daemon.ts'
import { parseFlags } from '../flags.ts'
import { type SpeakerFlags, speakerFlags } from './flags.ts'
import { checkMembership, composeMembership } from './membership.ts'

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

/** What the membership asks of a platform. */
function platform(flags: SpeakerFlags): Platform<SpeakerFlags> {
  const [kube, log, metrics] = [new FakeKube(), new FakeLog(), new FakeMetrics()]
  const informers = { of: () => kube.informer(pods) }
  const fakes = { flags, log, metrics, informers, namespace: 'm', clock, random: new FakeRandom() }
  return fakes as unknown as Platform<SpeakerFlags>
}

/** Nobody else's. */
const LOOPBACK = `127.${process.pid >> 16}.${(process.pid >> 8) & 255}.${process.pid & 255}`

for (const [what, flag, other, why] of [
  ['memberlist', 'ml-bindport', 'heartbeat-port=0', /EADDRINUSE/],
  ['heartbeats', 'heartbeat-port', 'ml-bindport=', /heartbeats: UDP port \d+: bind: EADDRINUSE/],
] as const)
  test(`a port of ${what} that another process has ends the start, and the log says of what`, async t => {
    const taken = await openUdp({ address: LOOPBACK, port: 0 })
    t.after(() => taken.close())
    const flags = parse([
      `--ml-bindaddr=${LOOPBACK}`,
      '--ml-labels=a=b',
      '--node-name=a',
      `--${flag}=${taken.port}`,
      `--${other}`,
    ])
    const { tasks } = composeMembership(platform(flags))
    const membership = tasks.at(-1)!
    await assert.rejects(
      async () => membership.start(),
      (error: Fatal) => {
        assert.ok(error instanceof Fatal, String(error))
        assert.equal(error.fields.msg, 'failed to create memberlist')
        assert.match(String(error.fields.error), why)
        return true
      },
    )
    await membership.stop()
  })

function parse(args: string[]): SpeakerFlags {
  const parsed = parseFlags(speakerFlags, args, {})
  if (parsed.kind !== 'run') throw new Error(JSON.stringify(parsed))
  return parsed.flags
}
