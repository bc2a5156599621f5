// A BFD thread that dies when it starts for as long as there are files in the directory DYING_WORKER, one for each death.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runBfdWorker } from '../../src/adapters/linux/bfd-worker.ts'

const directory = process.env.DYING_WORKER!
const [death] = readdirSync(directory)
if (death !== undefined) {
  rmSync(join(directory, death))
  throw new Error('died on purpose')
}
runBfdWorker()
