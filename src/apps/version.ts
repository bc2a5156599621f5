/** Build metadata; the release build replaces the three words (tools/build.ts). */
export interface BuildInfo {
  readonly version: string
  readonly commit: string
  readonly branch: string
}

export const BUILD: BuildInfo = {
  version: process.env.METALLB_BUILD_VERSION ?? '',
  commit: process.env.METALLB_BUILD_COMMIT ?? 'dev',
  branch: process.env.METALLB_BUILD_BRANCH ?? 'dev',
}

/** The text of the start lines (chapter 05 section 1.12). */
export function versionText({ version, commit, branch }: BuildInfo = BUILD): string {
  const source = commit === '' && branch === '' ? '' : `commit ${commit}, branch ${branch}`
  if (version === '') return source === '' ? '(no version or build info)' : `(${source})`
  return source === '' ? `version ${version} (no build information)` : `version ${version} (${source})`
}

/** Where the reference says which Go it was built with, we say which Node runs it. */
export const RUNTIME = `node / ${process.version} / ${process.arch}`
