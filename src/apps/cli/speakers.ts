/** Asks the running speakers, each itself, with the rights of the user. */
import { readFileSync } from 'node:fs'
import { type Access, Connection, CredentialsError } from '../../adapters/kube/index.ts'
import { systemClock as clock } from '../../adapters/system/clock.ts'
import type { PodResource } from '../../api/index.ts'
import { speakerNodes } from '../../control/explain/index.ts'
import { KubeError } from '../../ports/index.ts'
import { STATE_PATH } from '../speaker/state.ts'
import { Misshapen } from './shape.ts'

/** Where speakers answer, and whom to believe. */
export const SPEAKER_OPTIONS = {
  port: { type: 'string', default: '9120' },
  'speaker-ca': { type: 'string' },
  'insecure-skip-speaker-tls-verify': { type: 'boolean', default: false },
} as const

export interface SpeakerTrust {
  readonly port: string
  readonly 'speaker-ca'?: string
  readonly 'insecure-skip-speaker-tls-verify': boolean
}

export interface SpeakerAnswer<T> {
  readonly node: string
  readonly state: T | KubeError
}

/**
 * Those of the pods that are running speakers, in name order of their nodes. `read` throws Misshapen for an answer of
 * another form; `query` is `?name=value`, or empty.
 */
export async function askSpeakers<T>(
  pods: readonly PodResource[],
  access: Access,
  values: SpeakerTrust,
  read: (answer: unknown) => T,
  query = '',
): Promise<SpeakerAnswer<T>[]> {
  const speakers = pods
    .filter(pod => speakerNodes([pod]) !== undefined)
    .sort((a, b) => (a.spec!.nodeName! < b.spec!.nodeName! ? -1 : 1))
  const trust = speakerTrust(values)
  return Promise.all(
    speakers.map(async pod => ({
      node: pod.spec!.nodeName!,
      state: await ask(pod, access, trust, values, query).then(read).catch(refusal),
    })),
  )
}

/** The token of the user goes to the speaker, so who that is matters: the certificate is checked unless told otherwise. */
function speakerTrust(values: SpeakerTrust): Access['tls'] {
  const file = values['speaker-ca']
  try {
    const ca = file === undefined ? undefined : readFileSync(file, 'utf8')
    return { ...(ca && { ca }), rejectUnauthorized: !values['insecure-skip-speaker-tls-verify'] }
  } catch (error) {
    throw new CredentialsError(`--speaker-ca ${file}: ${(error as Error).message}`)
  }
}

async function ask(
  pod: PodResource,
  access: Access,
  tls: Access['tls'],
  { port }: SpeakerTrust,
  query: string,
): Promise<unknown> {
  const ip = pod.status?.podIP ?? ''
  const server = new URL(`https://${ip.includes(':') ? `[${ip}]` : ip}:${port}`)
  const speaker = new Connection({ access: { ...access, server, tls }, clock })
  const { text } = await speaker.request({ method: 'GET', path: `${STATE_PATH}${query}`, timeoutMs: 5000 })
  return JSON.parse(text)
}

function refusal(error: Error): KubeError {
  return new KubeError(error instanceof KubeError ? error.code : 'MALFORMED', complaintOf(error))
}

/** Node has its own advice about certificates, which is not for us. */
function complaintOf(error: Error): string {
  const { message } = error
  if (error instanceof Misshapen) return `its answer is not what this version reads, ${message}`
  if (error instanceof SyntaxError) return `its answer is not JSON: ${message}`
  if (!/certificate/i.test(message)) return message
  const flags = '--speaker-ca FILE, or --insecure-skip-speaker-tls-verify'
  return `${message.split(';', 1)[0]!.trimEnd()}: not trusted without ${flags}`
}
