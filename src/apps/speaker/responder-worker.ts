// The entry of the layer 2 responder's thread. It has a door of its own so that the thread loads nothing it does not run:
// what its heap holds, its collector has to walk while requests wait.
import type { HeartbeatSetup } from '../../adapters/linux/heartbeat-messages.ts'
import { HeartbeatThread } from '../../adapters/linux/heartbeat-thread.ts'
import { runLayer2Worker } from '../../adapters/linux/layer2-worker.ts'

runLayer2Worker(data => (data === undefined ? undefined : new HeartbeatThread(data as HeartbeatSetup)))
