import assert from 'node:assert/strict'
import { request } from 'node:https'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import type { Fields } from './object.ts'
import { type ApiServer, startApiServer } from './server.ts'

describe('client certificates', () => {
  let server: ApiServer
  before(async () => {
    server = await startApiServer()
  })
  after(() => server.stop())

  /** Who the server takes the bearer of a kubeconfig's certificate for. */
  async function whoAmI(kubeconfig: string): Promise<{ code: number; user: unknown }> {
    const { user } = parse(kubeconfig).users[0] as { user: Record<string, string> }
    const pem = (field: string) => Buffer.from(user[field]!, 'base64').toString()
    const identity = { cert: pem('client-certificate-data'), key: pem('client-key-data'), ca: server.caPem }
    const url = `${server.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`
    const settings = { ...identity, method: 'POST', agent: false, headers: { 'content-type': 'application/json' } }
    return new Promise((resolve, reject) => {
      const sent = request(url, settings, response => {
        let text = ''
        response.on('data', chunk => {
          text += chunk
        })
        const user = () => ((JSON.parse(text) as Fields).status as Fields).userInfo
        response.on('end', () => resolve({ code: response.statusCode!, user: user() }))
      })
      sent.on('error', reject)
      sent.end('{}')
    })
  }

  test('the common name is the user, the organisations are groups', async () => {
    const kubeconfig = await server.certificateKubeconfig('root', ['system:masters', 'dev'])
    const groups = ['system:masters', 'dev', 'system:authenticated']
    assert.deepEqual(await whoAmI(kubeconfig), { code: 201, user: { username: 'root', groups } })
  })

  test('a certificate of another authority is nobody', async t => {
    const other = await startApiServer()
    t.after(() => other.stop())
    const { code } = await whoAmI(await other.certificateKubeconfig('root', ['system:masters']))
    assert.equal(code, 401)
  })
})
