/** Unified differences of two texts, for people. */

type Edit = readonly [sign: ' ' | '-' | '+', line: string]

const CONTEXT = 3

/** Only the lines that differ, with three around them and `@@` between the places; empty where the texts are equal. */
export function lineDiff(before: string, after: string): string[] {
  const edits = editsOf(before.split('\n'), after.split('\n'))
  const near = edits.map((_, at) =>
    edits.slice(Math.max(at - CONTEXT, 0), at + CONTEXT + 1).some(([sign]) => sign !== ' '),
  )
  return edits.flatMap(([sign, line], at) => {
    if (!near[at]) return []
    return at > 0 && !near[at - 1] ? ['@@', `${sign}${line}`] : [`${sign}${line}`]
  })
}

/** What both begin and end with is cut off first; the rest goes by the longest common subsequence. */
function editsOf(a: readonly string[], b: readonly string[]): Edit[] {
  const shorter = Math.min(a.length, b.length)
  let head = 0
  while (head < shorter && a[head] === b[head]) head++
  let tail = 0
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const same = (lines: readonly string[]): Edit[] => lines.map(line => [' ', line])
  const middle = subsequence(a.slice(head, a.length - tail), b.slice(head, b.length - tail))
  return [...same(a.slice(0, head)), ...middle, ...same(a.slice(a.length - tail))]
}

/** More lines than this on both sides are shown as replaced; the table would be too large. */
const LARGEST = 4_000_000

function subsequence(a: readonly string[], b: readonly string[]): Edit[] {
  if (a.length * b.length > LARGEST)
    return [...a.map((line): Edit => ['-', line]), ...b.map((line): Edit => ['+', line])]
  const width = b.length + 1
  const longest = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i * width + j] =
        a[i] === b[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!)
  const edits: Edit[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) edits.push([' ', a[i++]!]) && j++
    else if (j === b.length || (i < a.length && longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!))
      edits.push(['-', a[i++]!])
    else edits.push(['+', b[j++]!])
  }
  return edits
}
