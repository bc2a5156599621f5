import koffi from 'koffi'

const CLONE_NEWNET = 0x40000000

/**
 * Puts this process into a network namespace of its own, which ends with it: children and threads started afterwards are
 * in it too. Needs root, unshare(2).
 */
export function enterFreshNetwork(): void {
  const unshare = koffi.load(null).func('int unshare(int flags)')
  if (unshare(CLONE_NEWNET) !== 0) throw new Error(`unshare: errno ${koffi.errno()}`)
}
