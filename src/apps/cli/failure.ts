import { CredentialsError } from '../../adapters/kube/index.ts'
import { KubeError } from '../../ports/index.ts'
import { EXIT } from './command.ts'
import { UnreadableFile } from './files.ts'

/** Tells the user which file or cluster could not be read and answers the exit code; any other error is a bug, thrown on. */
export function tellUnreadable(command: string, error: unknown): number {
  const unreachable = error instanceof KubeError || error instanceof CredentialsError
  if (!unreachable && !(error instanceof UnreadableFile)) throw error
  process.stderr.write(`metallbctl ${command}: ${error.message.trimEnd()}\n`)
  return unreachable ? EXIT.unreachable : EXIT.unknown
}
