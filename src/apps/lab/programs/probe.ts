/**
 * A client that asks a Service again and again, each time over a new connection and without waiting for the answer to
 * the one before. Prints a line of JSON for each request that ended. Usage: probe.ts URL INTERVAL_MS TIMEOUT_MS
 */
import { get } from 'node:http'

const [url = '', interval = '', timeout = ''] = process.argv.slice(2)

/** Milliseconds since 1970, with fractions. */
const now = () => performance.timeOrigin + performance.now()

function ask(): void {
  const sent = now()
  let body = ''
  let over = false
  const end = (error?: string) => {
    if (over) return
    over = true
    clearTimeout(timer)
    process.stdout.write(`${JSON.stringify({ sent, ended: now(), body: body.trim(), error })}\n`)
  }
  const request = get(url, { agent: false }, response => {
    response.setEncoding('utf8').on('data', text => {
      body += text
    })
    response.on('end', () => end(response.statusCode === 200 ? undefined : `status ${response.statusCode}`))
  })
  const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeout} ms`)), Number(timeout))
  request.on('error', ({ message }) => end(message))
}

ask()
setInterval(ask, Number(interval))
