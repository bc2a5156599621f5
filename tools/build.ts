// Bundles the executables into dist/: what the images ship, and what the lab spawns (a bundle starts in a third of the
// time). koffi stays outside: it finds its native library beside its own package.
import { rm } from 'node:fs/promises'
import { build } from 'esbuild'

await rm('dist', { recursive: true, force: true })
await build({
  entryPoints: {
    metallb: 'src/apps/metallb.ts',
    metallbctl: 'src/apps/metallbctl.ts',
    'responder-worker': 'src/apps/speaker/responder-worker.ts',
    'bfd-worker': 'src/apps/speaker/bfd-worker.ts',
    apiserver: 'src/testing/apiserver/main.ts',
    ...Object.fromEntries(['web', 'relay', 'probe', 'fetch'].map(name => [name, `src/apps/lab/programs/${name}.ts`])),
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  external: ['koffi'],
  sourcemap: true,
  // CommonJS packages inside an ES module bundle still call require for Node's own modules.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'warning',
})
