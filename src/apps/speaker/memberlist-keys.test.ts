import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeLog } from '../../testing/fake-log.ts'
import { Fatal } from '../daemon.ts'
import { waitFor } from '../lab/index.ts'
import { KeyReload, readSecrets } from './memberlist-keys.ts'

const texts = (secrets: readonly Uint8Array[]) => secrets.map(secret => new TextDecoder().decode(secret))

/** A volume as kubelet mounts a Secret: links to files of a directory behind a link, which is turned when it changes. */
class Volume {
  readonly directory = mkdtempSync(join(tmpdir(), 'memberlist-keys-'))
  #version = 0
  #names = new Set<string>()

  put(files: Readonly<Record<string, string>>): void {
    const version = `..2026_${this.#version++}`
    mkdirSync(join(this.directory, version))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.directory, version, name), text)
    symlinkSync(version, join(this.directory, '..data_tmp'))
    renameSync(join(this.directory, '..data_tmp'), join(this.directory, '..data'))
    for (const name of this.#names) if (!(name in files)) rmSync(join(this.directory, name))
    for (const name of Object.keys(files))
      if (!this.#names.has(name)) symlinkSync(join('..data', name), join(this.directory, name))
    this.#names = new Set(Object.keys(files))
  }

  remove(): void {
    rmSync(this.directory, { recursive: true })
  }
}

test('IMP-20 the own key comes first, further ones after it by name, empty ones are none', t => {
  const volume = new Volume()
  t.after(() => volume.remove())
  volume.put({ secretkey: 'own', 'secretkey-b': 'b', 'secretkey-a': 'a', 'secretkey-c': '', other: 'x' })
  assert.deepEqual(texts(readSecrets(volume.directory)), ['own', 'a', 'b'])
  volume.put({ secretkey: '', 'secretkey-a': 'a' })
  assert.deepEqual(readSecrets(volume.directory), [], 'nothing is encrypted')
  assert.deepEqual(readSecrets(''), [])
  volume.put({ other: 'x' })
  assert.throws(() => readSecrets(volume.directory), Fatal)
})

test('IMP-20 a Secret that kubelet replaces is followed; one that is gone or empty changes nothing', async t => {
  const volume = new Volume()
  t.after(() => volume.remove())
  volume.put({ secretkey: 'first' })
  const applied: string[][] = []
  const reload = new KeyReload(volume.directory, new FakeLog(), secrets => applied.push(texts(secrets)))
  reload.start()
  t.after(() => reload.stop())
  volume.put({ secretkey: 'first', 'secretkey-next': 'second' })
  await waitFor(() => applied.at(-1)?.join() === 'first,second', 'both keys')
  for (const files of [{ secretkey: '' }, {}] as Record<string, string>[]) {
    const seen = watch(volume.directory)
    const change = once(seen, 'change') // told after the one that is older
    volume.put(files)
    await change
    seen.close()
  }
  volume.put({ secretkey: 'second' })
  await waitFor(() => applied.at(-1)?.join() === 'second', 'the new key')
  assert.ok(applied.every(secrets => secrets.length > 0))
})

test('IMP-20 where the machine allows no further watch the speaker runs with the keys it has, and says so', () => {
  const log = new FakeLog()
  const reload = new KeyReload(join(tmpdir(), 'memberlist-keys-absent'), log, () => {})
  reload.start()
  reload.stop()
  assert.deepEqual(
    log.lines.map(({ level, fields: { op, msg } }) => ({ level, op, msg })),
    [{ level: 'error', op: 'memberlistKeys', msg: 'keys are not followed' }],
  )
})
