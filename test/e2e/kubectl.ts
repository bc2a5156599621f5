/** Runs kubectl as a user of the embedded API server. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { ApiServer } from '../../src/testing/apiserver/index.ts'

/** Another kubectl than the first on the PATH, for trying older ones. */
const KUBECTL = process.env.KUBECTL ?? 'kubectl'

/** False, or the sentence that says why tests with kubectl are skipped. In CI that is an error. */
export function kubectlMissing(): false | string {
  if (spawnSync(KUBECTL, ['version', '--client']).status === 0) return false
  if (process.env.CI === 'true') throw new Error('kubectl is not installed: in CI that is a failure')
  return 'kubectl is not installed'
}

export interface Outcome {
  code: number
  out: string
  err: string
}

export class Kubectl {
  readonly #directory = mkdtempSync(join(tmpdir(), 'kubectl-test-'))

  constructor(server: ApiServer, users: readonly string[]) {
    for (const user of users) writeFileSync(join(this.#directory, user), server.kubeconfig(user), { mode: 0o600 })
  }

  close(): void {
    rmSync(this.#directory, { recursive: true })
  }

  /** Runs to its end as the user, whatever the end is. */
  as(user: string, args: readonly string[], input = ''): Promise<Outcome> {
    return new Promise(resolve => {
      const child = execFile(KUBECTL, args, { env: this.#environment(user), timeout: 30_000 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
      )
      child.stdin!.end(input)
    })
  }

  /** Succeeds as admin, and answers what was printed. */
  async run(...args: string[]): Promise<string> {
    const { code, out, err } = await this.as('admin', args)
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${err}`)
    return out.trim()
  }

  async apply(...objects: unknown[]): Promise<string> {
    const { code, out, err } = await this.as('admin', ['apply', '-f', '-'], documents(objects))
    assert.equal(code, 0, err)
    return out.trim()
  }

  /** Fails, and answers the complaint. */
  async refused(args: readonly string[], ...objects: unknown[]): Promise<string> {
    const { code, out, err } = await this.as('admin', args, documents(objects))
    assert.equal(code, 1, `kubectl ${args.join(' ')} should fail, but printed ${out}`)
    return err.trim()
  }

  /** Starts one that goes on until `stop`. */
  follow(...args: string[]): Following {
    return new Following(spawn(KUBECTL, args, { env: this.#environment('admin') }))
  }

  #environment(user: string): NodeJS.ProcessEnv {
    return { ...process.env, KUBECONFIG: join(this.#directory, user), HOME: this.#directory }
  }
}

class Following {
  readonly #child: ChildProcess
  #text = ''

  constructor(child: ChildProcess) {
    this.#child = child
    child.stdout!.on('data', chunk => {
      this.#text += chunk
    })
  }

  /** Resolves once all that was printed matches; rejects when nothing more comes for 20 s. */
  async prints(pattern: RegExp): Promise<void> {
    const signal = AbortSignal.timeout(20_000)
    while (!pattern.test(this.#text)) await once(this.#child.stdout!, 'data', { signal })
  }

  stop(): void {
    this.#child.kill()
  }
}

function documents(objects: readonly unknown[]): string {
  return objects.map(object => stringify(object)).join('---\n')
}
