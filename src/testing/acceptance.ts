/** Tables of acceptance examples of chapter 01 section 6: YAML documents, and what the parse makes of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { type ConfigSnapshot, groupObjects, parseConfig } from '../api/index.ts'
import { type Config, formatProblem, type Problem } from '../core/config/index.ts'
import type { KubeObject } from '../core/object.ts'

export interface Example {
  /** Number in section 6 and what it shows. */
  readonly name: string
  readonly yaml: string
  /** Refused: `path message` of every error, in order. */
  readonly refused?: readonly (string | RegExp)[]
  /** Accepted: looks at the configuration, and at the warnings. */
  readonly accepted?: (config: Config, warnings: readonly Problem[]) => void
}

export function snapshotOfYaml(yaml: string): ConfigSnapshot {
  const objects = parseAllDocuments(yaml).map(document => document.toJS() as KubeObject | null)
  return groupObjects(objects.filter(object => object !== null).map(inNamespace))
}

function inNamespace(object: KubeObject): KubeObject {
  if (object.kind === 'Node' || object.kind === 'Namespace') return object
  return { ...object, metadata: { namespace: 'metallb-system', ...object.metadata } }
}

export function testExamples(examples: readonly Example[], parse: typeof parseConfig = parseConfig): void {
  assert.ok(examples.length > 0)
  for (const { name, yaml, refused, accepted } of examples)
    test(name, () => {
      const parsed = parse(snapshotOfYaml(yaml))
      if (refused !== undefined) compare('problems' in parsed ? parsed.problems : [], refused)
      else {
        if ('problems' in parsed) assert.fail(parsed.problems.map(formatProblem).join('\n'))
        accepted!(parsed.config, parsed.warnings)
      }
    })
}

function compare(problems: readonly Problem[], refused: readonly (string | RegExp)[]): void {
  const errors = problems.filter(({ severity }) => severity === 'error')
  const texts = errors.map(({ path, message }) => `${path} ${message}`)
  assert.equal(texts.length, refused.length, texts.join('\n'))
  for (const [index, wanted] of refused.entries())
    if (typeof wanted === 'string') assert.equal(texts[index], wanted)
    else assert.match(texts[index]!, wanted)
}
