import { formatProblem, type Problem } from '../../core/config/index.ts'

/** A person reads this in a terminal. */
const MAX_PROBLEMS = 20
const MAX_LENGTH = 1000

/** One problem on a line; several below a line that counts them. */
export function refusalOf(problems: readonly Problem[]): string {
  const lines = problems.slice(0, MAX_PROBLEMS).map(lineOf)
  const more = problems.length - lines.length
  if (lines.length === 1) return lines[0]!
  const rest = more > 0 ? [`and ${more} more`] : []
  return [`${problems.length} problems:`, ...[...lines, ...rest].map(line => `- ${line}`)].join('\n')
}

function lineOf(problem: Problem): string {
  const line = `${formatProblem(problem)}${problem.hint ? ` (${problem.hint})` : ''}`
  return line.length <= MAX_LENGTH ? line : `${line.slice(0, MAX_LENGTH)}…`
}
