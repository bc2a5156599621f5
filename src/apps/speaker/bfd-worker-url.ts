/** Beside this source while running from sources, beside the bundle in production. */
export const bfdWorkerUrl = new URL(
  import.meta.url.endsWith('.ts') ? './bfd-worker.ts' : './bfd-worker.js',
  import.meta.url,
)
