/** The webhooks of a controller: every replica serves them, whether it leads or not. */
import { x509Certificates } from '../../adapters/certificates/index.ts'
import { CertificateDirectory, WebhookServer } from '../../adapters/http/index.ts'
import {
  customResourceDefinitions,
  type ParseOptions,
  secrets,
  validatingWebhookConfigurations,
} from '../../api/index.ts'
import {
  CertificateRotation,
  CONVERTED_CRD,
  ServingPair,
  WEBHOOK_CONFIGURATION,
} from '../../control/certificates/index.ts'
import { webhookHandlers } from '../../control/webhooks/index.ts'
import type { Task } from '../../ports/index.ts'
import type { Platform } from '../daemon.ts'
import type { ControllerFlags } from './flags.ts'

/** In the order in which they start; empty where webhooks are disabled. */
export function webhookTasks(platform: Platform<ControllerFlags>, parse: ParseOptions): Task[] {
  const { flags, log, kube, clock, metrics, namespace, tls } = platform
  if (flags['webhook-mode'] === 'disabled') return []
  const server = new WebhookServer({
    ...{ clock, log, tls, port: flags['webhook-port'], http2: flags['webhook-http2'] },
    handlers: webhookHandlers({ kube, namespace, parse, log }),
  })
  const serving = new ServingPair({ certificates: x509Certificates, metrics, use: pair => server.use(pair) })
  const files = mountedFiles(platform, serving)
  if (flags['disable-cert-rotation']) return [server, files]
  log.info({ op: 'startup', action: 'setting up cert rotation' })
  return [server, files, rotation(platform, serving)]
}

function mountedFiles({ flags, log, clock }: Platform<ControllerFlags>, serving: ServingPair): Task {
  const directory = new CertificateDirectory({ clock, log, dir: flags['cert-dir'] })
  return {
    name: 'webhook certificate files',
    start() {
      const pair = directory.read()
      if (pair !== undefined) serving.offer('files', pair)
      directory.watch(changed => serving.offer('files', changed))
    },
    stop: () => directory.stop(),
    ready: () => true,
  }
}

function rotation(platform: Platform<ControllerFlags>, serving: ServingPair): CertificateRotation {
  const { flags, log, kube, clock, namespace, informers } = platform
  const secretName = flags['webhook-secret']
  const named = (name: string) => ({ fieldSelector: `metadata.name=${name}` })
  return new CertificateRotation({
    ...{ kube, clock, log, namespace, secretName, serving },
    certificates: x509Certificates,
    host: `${flags['cert-service-name']}.${namespace}.svc`,
    sources: {
      secrets: informers.of(secrets, { namespace, ...named(secretName) }),
      webhooks: informers.of(validatingWebhookConfigurations, named(WEBHOOK_CONFIGURATION)),
      crds: informers.of(customResourceDefinitions, named(CONVERTED_CRD)),
    },
  })
}
