// The entry of the layer 2 responder's thread.
import { runLayer2Worker } from '../../adapters/linux/index.ts'

runLayer2Worker()
