import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FlagSpecs, parseFlags, usage } from './flags.ts'

const specs = {
  port: { type: 'int', default: 9120, help: 'metrics port' },
  namespace: { type: 'string', default: '', env: 'METALLB_NAMESPACE', help: 'namespace' },
  retries: { type: 'int', default: 3, env: 'RETRIES', help: 'tries' },
  quiet: { type: 'bool', default: false, help: 'say nothing' },
} as const satisfies FlagSpecs

const defaults = { port: 9120, namespace: '', retries: 3, quiet: false }

const accepted: [string, Record<string, string>, object, string[]?][] = [
  ['', {}, {}],
  ['-port 1', {}, { port: 1 }],
  ['--port=0x10', {}, { port: 16 }],
  ['--port 0b11 -port 0o17', {}, { port: 15 }],
  ['--port=-1', {}, { port: -1 }],
  ['--quiet -port 5', {}, { quiet: true, port: 5 }],
  ['--quiet=F', {}, { quiet: false }],
  ['--quiet true', {}, { quiet: true }, ['true']],
  ['--namespace=a=b', {}, { namespace: 'a=b' }],
  ['--namespace', { METALLB_NAMESPACE: 'env' }, { namespace: '' }, undefined],
  ['', { METALLB_NAMESPACE: 'env', RETRIES: '7' }, { namespace: 'env', retries: 7 }],
  ['--namespace flag', { METALLB_NAMESPACE: 'env' }, { namespace: 'flag' }],
  ['-- --port=1', {}, {}, ['--port=1']],
  ['word --port=1', {}, {}, ['word', '--port=1']],
]
for (const [line, env, changed, rest = []] of accepted) {
  const args = line === '--namespace' ? ['--namespace', ''] : line.split(' ').filter(Boolean)
  test(`'${line}' with ${JSON.stringify(env)}`, () =>
    assert.deepEqual(parseFlags(specs, args, env), { kind: 'run', flags: { ...defaults, ...changed }, rest }))
}

const refused: [string, Record<string, string>, string][] = [
  ['-x', {}, 'flag provided but not defined: -x'],
  ['--constructor=1', {}, 'flag provided but not defined: -constructor'],
  ['-port abc', {}, 'invalid value "abc" for flag -port: parse error'],
  ['-port 1e3', {}, 'invalid value "1e3" for flag -port: parse error'],
  ['-port', {}, 'flag needs an argument: -port'],
  ['--quiet=yes', {}, 'invalid boolean value "yes" for flag -quiet: parse error'],
  ['---port=1', {}, 'bad flag syntax: ---port=1'],
  ['--=1', {}, 'bad flag syntax: --=1'],
  ['', { RETRIES: 'many' }, 'invalid value "many" for RETRIES: parse error'],
]
for (const [line, env, message] of refused)
  test(`'${line}' is refused: ${message}`, () =>
    assert.deepEqual(parseFlags(specs, line.split(' ').filter(Boolean), env), { kind: 'error', message }))

test('help is asked for, and names every flag with its variable and default', () => {
  assert.deepEqual(parseFlags(specs, ['-port', '1', '--help'], {}), { kind: 'help' })
  const text = usage('controller', specs)
  for (const name of Object.keys(specs)) assert.match(text, new RegExp(`^  -${name}\\b`, 'm'))
  assert.match(text, /METALLB_NAMESPACE/)
  assert.match(text, /default 9120/)
})
