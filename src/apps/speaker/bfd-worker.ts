// The entry of the BFD thread: a door of its own, so that the thread loads nothing it does not run.
import { runBfdWorker } from '../../adapters/linux/bfd-worker.ts'

runBfdWorker()
