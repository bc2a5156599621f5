/** Names of the old configuration to names of Kubernetes objects (chapter 05 section 5.1). */

const VALID = /^[a-z][-a-z0-9]{0,61}[a-z0-9]$/

/** Undefined where no letter is left to begin with. */
export function objectName(name: string): string | undefined {
  if (VALID.test(name)) return name
  const cut = name.slice(0, 63).toLowerCase().replaceAll('_', '-')
  const letter = cut.search(/[a-z]/)
  return letter < 0 ? undefined : cut.slice(letter)
}
