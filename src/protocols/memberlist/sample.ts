import type { Random } from '../../ports/index.ts'

/** The items in an order of chance; the list is not changed. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const list = [...items]
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1))
    const item = list[last]!
    list[last] = list[other]!
    list[other] = item
  }
  return list
}
