/** What a command prints, for tests that run it in their own process. */

export interface CommandRun {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Text is captured; bytes are reports of the test runner, which shares standard output, and go through. */
export async function captureOutput(command: () => Promise<number>): Promise<CommandRun> {
  const printed = { out: '', err: '' }
  const restore = [
    capture(process.stdout, text => (printed.out += text)),
    capture(process.stderr, text => (printed.err += text)),
  ]
  try {
    return { code: await command(), ...printed }
  } finally {
    for (const back of restore) back()
  }
}

function capture(stream: NodeJS.WriteStream, take: (text: string) => void): () => void {
  const { write } = stream
  stream.write = ((...args: Parameters<typeof write>) => {
    if (typeof args[0] !== 'string') return write.apply(stream, args)
    take(args[0])
    return true
  }) as typeof write
  return () => {
    stream.write = write
  }
}
