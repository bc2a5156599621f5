/** Plain output for people: colour on terminals only, columns that line up. */
import { styleText } from 'node:util'

/** Set by a parent on a terminal that prints for this process. */
const onTerminal = process.stdout.isTTY || process.env.METALLB_COLOUR === '1'

export type Style = 'bold' | 'dim' | 'green' | 'red'

export function style(text: string, as: Style): string {
  return onTerminal && !process.env.NO_COLOR ? styleText(as, text, { validateStream: false }) : text
}

/** Rows with their columns padded to the widest cell, two spaces apart, each line indented by `indent`. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  const lines = rows.map(row => row.map((cell, i) => cell.padEnd(widths[i]!)).join('  '))
  return lines.map(line => `${indent}${line.trimEnd()}`).join('\n')
}
