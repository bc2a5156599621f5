import { type SecretResource, secrets } from '../../api/index.ts'
import type { KubeObject, ResourceType } from '../../core/object.ts'
import { type KubeApi, KubeError, type Logger, type Random } from '../../ports/index.ts'
import { Fatal } from '../daemon.ts'
import type { ControllerFlags } from './flags.ts'

const deployments: ResourceType<KubeObject> = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
}

export interface MemberlistSecretOptions {
  readonly flags: Pick<ControllerFlags, 'ml-secret-name' | 'deployment'>
  readonly kube: KubeApi
  readonly log: Logger
  readonly namespace: string
  readonly random: Random
}

/**
 * Makes the key that speakers share, where it is asked for and missing (chapter 05 section 1.19): 16 random bytes in
 * unpadded base64, owned by the controller's Deployment. An existing one is left alone. @throws Fatal
 */
export async function ensureMemberlistSecret(options: MemberlistSecretOptions): Promise<void> {
  const { flags, kube, log, namespace } = options
  const name = flags['ml-secret-name']
  if (name === '') return
  try {
    const present = await kube.list(secrets, { namespace, fieldSelector: `metadata.name=${name}` })
    if (present.length > 0) {
      log.debug({ op: 'CreateMlSecret', msg: 'secret already exists, nothing to do' })
      return
    }
    await kube.create(secrets, await newSecret(options, name))
    log.info({ op: 'CreateMlSecret', msg: 'secret successfully created' })
  } catch (error) {
    if (error instanceof KubeError && error.code === 'ALREADY_EXISTS') return // another controller was faster
    throw new Fatal({ op: 'startup', error, msg: 'failed to create memberlist secret' })
  }
}

async function newSecret(options: MemberlistSecretOptions, name: string): Promise<SecretResource> {
  const { flags, kube, namespace, random } = options
  const owner = await kube.get(deployments, { namespace, name: flags.deployment })
  const uid = owner.metadata.uid ?? ''
  const key = Buffer.from(random.bytes(16)).toString('base64').replaceAll('=', '')
  return {
    metadata: {
      name,
      namespace,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: flags.deployment, uid }],
    },
    type: 'Opaque',
    data: { secretkey: Buffer.from(key).toString('base64') },
  }
}
