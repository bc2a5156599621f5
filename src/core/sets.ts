/** Whether the sets have an element in common. */
export function intersects<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  const [fewer, more] = a.size <= b.size ? [a, b] : [b, a]
  for (const element of fewer) if (more.has(element)) return true
  return false
}
