/** A webhook server for tests: answers reviews over TLS as the test says, and remembers them. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { parseJson, toJson } from './json.ts'
import type { Fields } from './object.ts'
import { createPki } from './pki.ts'

/** What goes into the response beside the uid; `httpStatus` is that of the answer. */
export type StubAnswer = (request: Fields, path: string) => Fields | Promise<Fields>

export class WebhookStub {
  /** The requests of the reviews so far. */
  readonly seen: Fields[] = []
  /** For `clientConfig.caBundle`. */
  readonly caBundle: string
  answer: StubAnswer = () => ({ allowed: true })
  readonly #server: Server

  /** `name`: as its certificate has it, beside 127.0.0.1. */
  static async start(name = 'hook.default.svc'): Promise<WebhookStub> {
    const { ca, serving } = await createPki([name, '127.0.0.1'])
    const stub = new WebhookStub(Buffer.from(ca.certPem).toString('base64'), {
      cert: serving.certPem,
      key: serving.keyPem,
    })
    stub.#server.listen(0, '127.0.0.1')
    await once(stub.#server, 'listening')
    return stub
  }

  private constructor(caBundle: string, keys: { cert: string; key: string }) {
    this.caBundle = caBundle
    this.#server = createServer(keys, async (incoming, response) => {
      let text = ''
      for await (const chunk of incoming) text += chunk
      const { request, ...head } = parseJson(text) as { request: Fields } & Fields
      this.seen.push(request)
      const { httpStatus = 200, ...answer } = await this.answer(request, incoming.url!)
      response.writeHead(Number(httpStatus), { 'content-type': 'application/json' })
      response.end(toJson({ ...head, response: { uid: request.uid, ...answer } }))
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

/** Answers a ConversionReview by this change of each object. */
export function converting(change: (object: Fields, apiVersion: string) => Fields): StubAnswer {
  return ({ objects, desiredAPIVersion }) => ({
    result: { status: 'Success' },
    convertedObjects: (objects as Fields[]).map(object => ({
      ...change(object, String(desiredAPIVersion)),
      apiVersion: desiredAPIVersion,
    })),
  })
}
