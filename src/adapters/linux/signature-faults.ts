import { readFileSync } from 'node:fs'
import type { SignatureFaults } from '../../ports/index.ts'

/** Of this process's network namespace, since it began. Kernels without TCP-AO, or MD5, count none. */
const COUNTERS: Readonly<Record<keyof SignatureFaults, readonly string[]>> = {
  missing: ['TCPMD5NotFound', 'TCPAORequired'],
  unexpected: ['TCPMD5Unexpected', 'TCPAOKeyNotFound'],
  wrong: ['TCPMD5Failure', 'TCPAOBad'],
}

export function signatureFaults(): SignatureFaults {
  return parseSignatureFaults(readFileSync('/proc/thread-self/net/netstat', 'utf8'))
}

/** Of a file like /proc/net/netstat: a line of names and a line of numbers under the same prefix. */
export function parseSignatureFaults(text: string): SignatureFaults {
  const [names = [], numbers = []] = text
    .split('\n')
    .filter(line => line.startsWith('TcpExt:'))
    .map(line => line.split(' '))
  const of = (counters: readonly string[]) =>
    counters.reduce((sum, name) => sum + (Number(numbers[names.indexOf(name)]) || 0), 0)
  return { missing: of(COUNTERS.missing), unexpected: of(COUNTERS.unexpected), wrong: of(COUNTERS.wrong) }
}
