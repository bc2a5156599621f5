/** Beside this source while running from sources, beside the bundle in production. */
export const responderWorkerUrl = new URL(
  import.meta.url.endsWith('.ts') ? './responder-worker.ts' : './responder-worker.js',
  import.meta.url,
)
