/** The objects a cluster with MetalLB installed has: those of deploy/, the nodes, the pods of the daemons. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeClient } from '../../adapters/kube/index.ts'
import { nodes, type PodResource, pods } from '../../api/kubernetes/index.ts'
import { Applier, readManifest } from './apply.ts'
import { controllerObject, daemonStatus, nodeObject, nodeStatus, speakerObject } from './objects.ts'
import { ROOT } from './programs.ts'
import { CONTROL_ADDRESS, type Plan } from './topology.ts'

const CRDS = 'deploy/crds'
const crds = () => readdirSync(join(ROOT, CRDS)).map(file => `${CRDS}/${file}`)

/** `webhooks`: without a controller nobody would answer them, and nothing could be configured. */
export async function populate(kube: KubeClient, plan: Plan, { webhooks }: { webhooks: boolean }): Promise<void> {
  const applier = new Applier(kube)
  const apply = (...paths: string[]) => applier.apply(paths.flatMap(path => readManifest(join(ROOT, path))))
  await apply('deploy/manifests/namespace.yaml', ...crds(), 'deploy/manifests/rbac.yaml')
  await apply('deploy/manifests/controller.yaml')
  for (const node of plan.nodes) {
    const { metadata } = await kube.create(nodes, nodeObject(node))
    await kube.patch(nodes, metadata, { type: 'merge', body: nodeStatus(node, true) }, 'status')
    await createPod(kube, speakerObject(node), 'speaker', node.address)
  }
  await createPod(kube, controllerObject(), 'controller', CONTROL_ADDRESS)
  if (webhooks) await apply('deploy/manifests/webhooks.yaml')
}

async function createPod(kube: KubeClient, pod: PodResource, component: string, address: string): Promise<void> {
  const { metadata } = await kube.create(pods, pod)
  const body = daemonStatus(component, address, true)
  await kube.patch(pods, metadata, { type: 'merge', body }, 'status')
}
