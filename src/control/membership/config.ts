import { parseDuration } from '../../core/config/index.ts'
import { LAN, type MemberlistConfig } from '../../protocols/memberlist/index.ts'

/** The file replaces the profile: LAN with all its settings from the file (chapter 03 section 4.4, IMP-19). */
export class MemberlistFileError extends Error {
  override readonly name = 'MemberlistFileError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('; '))
    this.problems = problems
  }
}

type Setting =
  | { readonly kind: 'duration'; readonly minMs: number; readonly field?: keyof MemberlistConfig }
  | { readonly kind: 'number'; readonly min: number; readonly max: number; readonly field?: keyof MemberlistConfig }
  | { readonly kind: 'boolean'; readonly field: keyof MemberlistConfig }

const duration = (field: keyof MemberlistConfig | undefined, minMs: number): Setting => ({
  kind: 'duration',
  minMs,
  ...(field && { field }),
})
const number = (field: keyof MemberlistConfig | undefined, min: number, max: number): Setting => ({
  kind: 'number',
  min,
  max,
  ...(field && { field }),
})
const boolean = (field: keyof MemberlistConfig): Setting => ({ kind: 'boolean', field })

/** Settings without a field are checked and have no use here: news is handled at once, nothing is queued inside. */
const SETTINGS: Readonly<Record<string, Setting>> = {
  TCPTimeout: duration('tcpTimeoutMs', 100),
  IndirectChecks: number('indirectChecks', 0, 100),
  RetransmitMult: number('retransmitMult', 1, 100),
  SuspicionMult: number('suspicionMult', 1, 100),
  SuspicionMaxTimeoutMult: number('suspicionMaxTimeoutMult', 1, 100),
  PushPullInterval: duration('pushPullIntervalMs', 0),
  ProbeInterval: duration('probeIntervalMs', 50),
  ProbeTimeout: duration('probeTimeoutMs', 10),
  DisableTcpPings: boolean('disableTcpPings'),
  AwarenessMaxMultiplier: number('awarenessMaxMultiplier', 1, 100),
  GossipInterval: duration('gossipIntervalMs', 10),
  GossipNodes: number('gossipNodes', 1, 100),
  GossipToTheDeadTime: duration('gossipToTheDeadMs', 0),
  GossipVerifyIncoming: boolean('verifyIncoming'),
  GossipVerifyOutgoing: boolean('sealOutgoing'),
  EnableCompression: boolean('enableCompression'),
  HandoffQueueDepth: number(undefined, 1, 1_000_000),
  UDPBufferSize: number('udpBufferSize', 512, 65_507),
  QueueCheckInterval: duration(undefined, 0),
}
const NAMES = new Map(Object.keys(SETTINGS).map(name => [name.toLowerCase(), name]))

/** Reads the JSON file. @throws MemberlistFileError with everything that is wrong */
export function parseMemberlistFile(text: string): MemberlistConfig {
  const values = readObject(text)
  const problems: string[] = []
  const given = new Map<string, unknown>()
  for (const [key, value] of Object.entries(values)) {
    const name = NAMES.get(key.toLowerCase()) // as Go's decoder, which does not mind the case
    if (name === undefined) problems.push(`unknown key "${key}" in memberlist config file`)
    else if (given.has(name)) problems.push(`key "${name}" is given twice in memberlist config file`)
    else given.set(name, value)
  }
  const config: Record<string, unknown> = { ...LAN }
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const value = given.get(name)
    const read = readSetting(setting, value)
    if (typeof read === 'string')
      problems.push(`parsing ${name} ${JSON.stringify(value ?? '')} in memberlist config file: ${read}`)
    else if (setting.field !== undefined) config[setting.field] = read
  }
  const { probeTimeoutMs, probeIntervalMs } = config as unknown as MemberlistConfig
  if (problems.length === 0 && probeTimeoutMs >= probeIntervalMs)
    problems.push('ProbeTimeout is not shorter than ProbeInterval in memberlist config file')
  if (problems.length > 0) throw new MemberlistFileError(problems)
  return config as unknown as MemberlistConfig
}

function readObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    throw new MemberlistFileError([`memberlist config file is no JSON: ${(error as Error).message}`])
  }
  throw new MemberlistFileError(['memberlist config file holds no JSON object'])
}

/** The value, or a sentence that says what is wrong. */
function readSetting(setting: Setting, value: unknown): number | boolean | string {
  if (value === undefined) return 'missing'
  if (setting.kind === 'boolean') return typeof value === 'boolean' ? value : 'not true or false'
  if (setting.kind === 'number') return readNumber(setting, value)
  const nanoseconds = typeof value === 'string' ? parseDuration(value) : undefined
  if (nanoseconds === undefined) return 'no duration like "500ms" or "1m30s"'
  const ms = Number(nanoseconds) / 1e6
  return ms < setting.minMs || ms > 86_400_000 ? `outside ${setting.minMs}ms to 24h` : ms
}

function readNumber({ min, max }: { min: number; max: number }, value: unknown): number | string {
  if (typeof value !== 'number' || !Number.isInteger(value)) return 'no whole number'
  return value < min || value > max ? `outside ${min} to ${max}` : value
}
