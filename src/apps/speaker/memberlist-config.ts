/** Which timing memberlist runs with: a preset, or the file of the administrator. */
import { readFileSync } from 'node:fs'
import { parseMemberlistFile } from '../../control/membership/index.ts'
import type { Logger } from '../../ports/index.ts'
import { FAST_LAN, LAN, type MemberlistConfig, WAN } from '../../protocols/memberlist/index.ts'
import { Fatal } from '../daemon.ts'
import type { SpeakerFlags } from './flags.ts'

const FILE = '/etc/metallb/memberlist/config.json'

/** The file replaces the presets, whatever the flags say (chapter 03 section 4.4). @throws Fatal where it is wrong */
export function readMemberlistConfig(
  flags: Pick<SpeakerFlags, 'ml-wan-config' | 'ml-fast'>,
  log: Logger,
  path = FILE,
): MemberlistConfig {
  const text = readOptional(path)
  if (text === undefined) return flags['ml-wan-config'] ? WAN : flags['ml-fast'] ? FAST_LAN : LAN
  log.info({ op: 'startup', msg: 'loading memberlist config from file', path })
  try {
    const config = parseMemberlistFile(text)
    log.info({ op: 'startup', msg: 'memberlist config', ...config })
    return config
  } catch (error) {
    throw failed(error)
  }
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw failed(error)
  }
}

const failed = (error: unknown) => new Fatal({ op: 'startup', error, msg: 'failed to load memberlist config' })
