/**
 * Keeps a valid certificate in the Secret, and its authority in everything that calls us: chapter 01 section 4.5. Every
 * replica of the controller runs it; whoever writes the Secret first wins, by its resourceVersion, the others follow.
 */
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
  encodeBase64Ascii,
  type SecretResource,
  secrets,
  type ValidatingWebhookConfigurationResource,
  validatingWebhookConfigurations,
} from '../../api/index.ts'
import { type KubeObject, type ObjectRef, objectKey, type ResourceType } from '../../core/object.ts'
import { formatReason } from '../../core/reason.ts'
import {
  type Certificates,
  type Clock,
  type Informer,
  type KubeApi,
  KubeError,
  type KubeErrorCode,
  type Logger,
  type Task,
} from '../../ports/index.ts'
import { WorkQueue } from '../queue.ts'
import { type Decision, decideRenewal, type HeldKeys, keysOf } from './decide.ts'
import { type BundlePatch, CONVERTED_CRD, patchConversion, patchWebhooks, WEBHOOK_CONFIGURATION } from './inject.ts'
import type { ServingPair } from './serving.ts'

export interface RotationOptions {
  readonly kube: KubeApi
  readonly clock: Clock
  readonly log: Logger
  readonly certificates: Certificates
  /** Of the Secret. */
  readonly namespace: string
  readonly secretName: string
  /** DNS name of the Service that API servers call. */
  readonly host: string
  readonly sources: RotationSources
  readonly serving: ServingPair
}

export interface RotationSources {
  readonly secrets: Informer<SecretResource>
  readonly webhooks: Informer<ValidatingWebhookConfigurationResource>
  readonly crds: Informer<CustomResourceDefinition>
}

/** Nothing tells of a certificate that grows old. */
export const CHECK_MS = 12 * 3_600_000
const KEY = 'certificate'
const FIELD_MANAGER = 'MetalLB'
/** Somebody else wrote in between: look again. */
const RACES: ReadonlySet<KubeErrorCode> = new Set(['CONFLICT', 'ALREADY_EXISTS', 'NOT_FOUND'])

export class CertificateRotation implements Task {
  readonly name = 'cert-rotator'
  readonly #options: RotationOptions
  readonly #log: Logger
  readonly #queue: WorkQueue
  readonly #ends: (() => void)[] = []
  #problem = ''

  constructor(options: RotationOptions) {
    this.#options = options
    this.#log = options.log.with({ controller: this.name })
    const { clock } = options
    this.#queue = new WorkQueue({ name: this.name, clock, log: this.#log, handle: () => this.#reconcile() })
  }

  start(): void {
    const { sources } = this.#options
    const watch = <T extends KubeObject>(informer: Informer<T>, ref: ObjectRef) =>
      this.#ends.push(
        informer.subscribe(({ object }) => {
          if (objectKey(object.metadata) === objectKey(ref)) this.#queue.add(KEY)
        }),
      )
    watch(sources.secrets, this.#secretRef)
    watch(sources.webhooks, { name: WEBHOOK_CONFIGURATION })
    watch(sources.crds, { name: CONVERTED_CRD })
    this.#queue.add(KEY)
    void Promise.all(Object.values(sources).map(informer => informer.whenSynced())).then(() => this.#queue.start())
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end()
    await this.#queue.stop()
  }

  /** D 5: a certificate that is served, and trusted by all who call us. */
  ready(): true | string {
    const waiting = Object.entries(this.#options.sources).filter(([, informer]) => !informer.synced)
    if (waiting.length > 0) return `waiting for the first list of ${waiting.map(([source]) => source).join(', ')}`
    if (this.#problem !== '') return this.#problem
    const caBundle = this.#secret?.data?.['ca.crt']
    if (!caBundle || this.#options.serving.served === undefined) return 'there is no certificate yet'
    const pending = this.#pending(caBundle).map(({ type, ref }) => `${type.kind} ${ref.name}`)
    return pending.length === 0 || `the caBundle is not injected yet into ${pending.join(', ')}`
  }

  get #secretRef(): { namespace: string; name: string } {
    const { namespace, secretName: name } = this.#options
    return { namespace, name }
  }

  get #secret(): SecretResource | undefined {
    return this.#options.sources.secrets.get(this.#secretRef)
  }

  async #reconcile(): Promise<'done' | 'retry'> {
    try {
      const { data = {}, ...secret } = await this.#renew(this.#secret)
      const { serving } = keysOf({ ...secret, data })
      // What is served stays so until the new authority is trusted; the first certificate is better than none.
      if (this.#options.serving.served === undefined) this.#options.serving.offer('secret', serving)
      await this.#inject(data['ca.crt'] ?? '')
      this.#options.serving.offer('secret', serving)
      this.#problem = ''
      this.#queue.addAfter(KEY, CHECK_MS)
      return 'done'
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      if (RACES.has(error.code))
        this.#log.debug({ op: 'certificate', error: error.message, msg: 'raced, looking again' })
      else this.#complain(error)
      return 'retry'
    }
  }

  #complain({ message }: KubeError): void {
    const problem = `the certificate cannot be kept: ${message}`
    if (problem !== this.#problem) this.#log.error({ op: 'certificate', error: message, msg: 'rotation failed' })
    this.#problem = problem
  }

  /** The Secret as it is, or as it now is. Made where it is missing (the reference only fills one that is there). */
  async #renew(secret: SecretResource | undefined): Promise<SecretResource> {
    const { kube, clock, certificates, host } = this.#options
    const held = keysOf(secret ?? { metadata: this.#secretRef })
    const decision = decideRenewal(held, host, clock.now(), certificates)
    if (secret !== undefined && decision.renew === 'nothing') return secret
    const data = { ...secret?.data, ...(await this.#newData(held, decision)) }
    const written =
      secret === undefined
        ? await kube.create(secrets, { metadata: this.#secretRef, type: 'Opaque', data })
        : await kube.replace(secrets, { ...secret, data })
    const reason = decision.reasons.map(formatReason).join('; ')
    const fields = decision.reasons.map(({ field }) => field).join(', ')
    this.#log.info({ op: 'certificate', renewed: decision.renew, fields, reason, msg: 'certificate renewed' })
    return written
  }

  /** The values of the Secret, in base64. An authority that is still good stays trusted while certificates change. */
  async #newData({ authority: old }: HeldKeys, { renew, reasons }: Decision): Promise<Record<string, string>> {
    const { clock, certificates, host } = this.#options
    const nowMs = clock.now()
    const authority = renew === 'everything' ? await certificates.createAuthority(nowMs) : old
    const serving = await certificates.issue(authority, host, nowMs)
    const stillTrusted = reasons.every(({ code }) => code === 'expires')
    const trusted =
      renew === 'everything' && stillTrusted ? authority.cert + certificates.first(old.cert) : authority.cert
    const texts = { 'ca.crt': trusted, 'ca.key': authority.key, 'tls.crt': serving.cert, 'tls.key': serving.key }
    return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, encodeBase64Ascii(text)]))
  }

  async #inject(caBundle: string): Promise<void> {
    for (const { type, ref, body } of this.#pending(caBundle)) {
      await this.#options.kube.patch(type, ref, { type: 'merge', body, fieldManager: FIELD_MANAGER })
      this.#log.info({ op: 'certificate', kind: type.kind, name: ref.name, msg: 'caBundle injected' })
    }
  }

  /** What does not have the bundle. Objects that are not there call nobody. */
  #pending(caBundle: string): { type: ResourceType; ref: ObjectRef; body: BundlePatch }[] {
    const { webhooks, crds } = this.#options.sources
    const configuration = webhooks.get({ name: WEBHOOK_CONFIGURATION })
    const crd = crds.get({ name: CONVERTED_CRD })
    const patches = [
      [validatingWebhookConfigurations, configuration, configuration && patchWebhooks(configuration, caBundle)],
      [customResourceDefinitions, crd, crd && patchConversion(crd, caBundle)],
    ] as const
    return patches.flatMap(([type, object, body]) =>
      object && body ? [{ type: type as ResourceType, ref: { name: object.metadata.name }, body }] : [],
    )
  }
}
