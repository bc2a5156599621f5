/**
 * Fetches a page and prints it, trying again until it is there or the time is up; exit code 1 and the last reason then.
 * Usage: fetch.ts URL RETRY_MS
 */
import { setTimeout as sleep } from 'node:timers/promises'

const [url = '', retryMs = '0'] = process.argv.slice(2)
const end = performance.now() + Number(retryMs)

async function attempt(): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
    const body = await response.text()
    if (!response.ok) return `${url}: status ${response.status}: ${body.trim()}`
    process.stdout.write(body)
    return undefined
  } catch (error) {
    const { message, cause } = error as Error
    return `${url}: ${cause instanceof Error ? cause.message : message}`
  }
}

let failure = await attempt()
while (failure !== undefined && performance.now() < end) {
  await sleep(50)
  failure = await attempt()
}
if (failure !== undefined) {
  process.stderr.write(`${failure}\n`)
  process.exit(1)
}
