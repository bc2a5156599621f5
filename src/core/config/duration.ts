/** Durations as the API writes them: Go's notation, in nanoseconds. */

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const TERM = /([0-9]+)?(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)/y
const MAX = 2n ** 63n - 1n

/** Nanoseconds of `90s`, `1m30s`, `-1.5h` or `0`; undefined for anything else and for what 64 bits do not hold. */
export function parseDuration(text: string): bigint | undefined {
  const sign = /^[+-]/.test(text) ? text[0] : ''
  const rest = text.slice(sign!.length)
  if (rest === '0') return 0n
  if (rest === '' || rest.length > 100) return undefined
  let total = 0n
  for (let at = 0; at < rest.length; at = TERM.lastIndex) {
    TERM.lastIndex = at
    const term = TERM.exec(rest)
    if (term === null) return undefined
    const [, whole = '', fraction = '', unit] = term
    if (whole + fraction === '') return undefined
    total += (BigInt(whole + fraction) * UNITS[unit!]!) / 10n ** BigInt(fraction.length)
  }
  if (total > MAX) return undefined
  return sign === '-' ? -total : total
}

/** `1m35s`, `2.9s`, `900ms`, `0s`: what Go prints. */
export function formatDuration(duration: bigint): string {
  if (duration < 0n) return `-${formatDuration(-duration)}`
  if (duration < UNITS.s!) {
    const unit = ['ms', 'us', 'ns'].find(name => duration >= UNITS[name]!)
    return unit === undefined ? '0s' : `${decimal(duration, UNITS[unit]!)}${unit === 'us' ? 'µs' : unit}`
  }
  const hours = duration / UNITS.h!
  const minutes = (duration / UNITS.m!) % 60n
  const seconds = `${decimal(duration % UNITS.m!, UNITS.s!)}s`
  if (hours > 0n) return `${hours}h${minutes}m${seconds}`
  return minutes > 0n ? `${minutes}m${seconds}` : seconds
}

function decimal(value: bigint, unit: bigint): string {
  const digits = String(unit).length - 1
  const fraction = String(value % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '')
  return `${value / unit}${fraction ? `.${fraction}` : ''}`
}
