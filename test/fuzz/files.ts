// Fuzz entry point: arbitrary text, and YAML with arbitrary parts, into the reader of files and the linter.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseWritten, UnreadableFile } from '../../src/apps/cli/files.ts'
import { check } from '../../src/apps/cli/validate-check.ts'
import { verdictJson, verdictText } from '../../src/apps/cli/validate-print.ts'

const token = fc.constantFrom(
  ...[
    'kind: IPAddressPool\n',
    'apiVersion: metallb.io/v1beta1\n',
    'metadata: {name: a}\n',
    'spec:\n',
    '  addresses:\n',
  ],
  ...[
    '  - 10.0.0.1\n',
    '---\n',
    '&a ',
    '*a',
    '<<: ',
    '!!binary ',
    '!!set ',
    '[',
    ']',
    '{',
    '}',
    ': ',
    '- ',
    '\n',
    '  ',
    '? ',
  ],
  ...[
    '"',
    "'",
    '|\n',
    '%YAML 1.2\n',
    '64512:10',
    '2026-01-02',
    '\u0000',
    '\ud800',
    '\t',
    '#',
    'items: [null]\n',
    '__proto__: ',
  ],
)
const text = fc.oneof(
  fc.string(),
  fc.array(token, { maxLength: 20 }).map(tokens => tokens.join('')),
)

/** Throws where reading throws anything but UnreadableFile, or where the linter throws. */
export const property = fc.property(text, given => {
  let written: ReturnType<typeof parseWritten>
  try {
    written = parseWritten(given, 'x.yaml')
  } catch (error) {
    assert.ok(error instanceof UnreadableFile, String((error as Error).stack))
    return
  }
  const verdict = check(written, { namespace: 'metallb-system', mode: 'native' })
  assert.equal(typeof verdictText(verdict), 'string')
  assert.equal(typeof JSON.stringify(verdictJson(verdict)), 'string')
  for (const { place } of verdict.problems)
    if (place) assert.ok(place.line >= 1 && place.column >= 1 && place.column <= place.text.length + 1)
})

if (import.meta.main) {
  const seconds = Number(process.argv[2] ?? 60)
  fc.assert(property, { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 1000, verbose: true })
  console.log(`files: ${seconds} seconds without a finding`)
}
