/** RFC 5880 section 4.1. */
export const NO_DIAGNOSTIC = 0
export const DETECTION_TIME_EXPIRED = 1
export const ECHO_FAILED = 2
export const NEIGHBOR_SIGNALED_DOWN = 3
export const ADMINISTRATIVELY_DOWN = 7

const WORDS = [
  'no diagnostic',
  'control detection time expired',
  'echo function failed',
  'neighbor signaled session down',
  'forwarding plane reset',
  'path down',
  'concatenated path down',
  'administratively down',
  'reverse concatenated path down',
]

export function describeDiagnostic(diagnostic: number): string {
  return WORDS[diagnostic] ?? `diagnostic ${diagnostic}`
}
