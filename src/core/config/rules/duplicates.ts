/** The first element that has a later twin, chapter 01 section 2.4. */
export function firstDuplicate(list: readonly string[]): { value: string; index: number } | undefined {
  const index = list.findIndex((value, at) => list.indexOf(value, at + 1) >= 0)
  return index < 0 ? undefined : { value: list[index]!, index }
}
