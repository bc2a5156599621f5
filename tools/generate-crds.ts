// Writes deploy/crds from src/api/crds.ts. With --check it writes nothing and fails where the files differ.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { crds } from '../src/api/crds.ts'

const directory = new URL('../deploy/crds/', import.meta.url)
const wanted = new Map(
  crds.map(crd => [
    `${crd.spec.group}_${crd.spec.names.plural}.yaml`,
    `# Written by tools/generate-crds.ts from src/api; change it there.\n${stringify(crd, { lineWidth: 120 })}`,
  ]),
)

mkdirSync(directory, { recursive: true })
const present = new Map(readdirSync(directory).map(file => [file, readFileSync(new URL(file, directory), 'utf8')]))
const differing = [...new Set([...wanted.keys(), ...present.keys()])].filter(
  file => wanted.get(file) !== present.get(file),
)

if (process.argv.includes('--check')) {
  for (const file of differing)
    console.error(`deploy/crds/${file} differs from src/api: run node tools/generate-crds.ts`)
  process.exit(differing.length === 0 ? 0 : 1)
}
for (const file of differing) {
  const content = wanted.get(file)
  if (content === undefined) rmSync(new URL(file, directory))
  else writeFileSync(new URL(file, directory), content)
}
console.log(`deploy/crds: ${differing.length} of ${wanted.size} files written`)
