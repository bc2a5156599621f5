/** What the demo applies: a pool, an advertisement, a Service and three back ends. */
import { SERVICE_RANGE } from '../lab/index.ts'

export const BACK_ENDS = ['web-1', 'web-2', 'web-3']

export const DEMO_MANIFEST = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: lan, namespace: metallb-system }
spec: { addresses: [${SERVICE_RANGE}] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: lan, namespace: metallb-system }
spec: { ipAddressPools: [lan] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { type: LoadBalancer, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
${BACK_ENDS.map(
  name => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: default, labels: { app: web } }
spec: { containers: [{ name: web, image: lab/web, ports: [{ containerPort: 8080 }] }] }
`,
).join('')}`
