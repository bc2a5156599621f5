/**
 * A client that asks a Service again and again, each time over a new connection and without waiting for the answer to
 * the one before. Prints a line of JSON for each request that ended. Usage: probe.ts URL INTERVAL_MS TIMEOUT_MS
 *
 * On plain sockets, because an HTTP client does not get to 1,000 requests a second beside everything else in a lab. The
 * pace is kept on average: where a timer comes late, what is due by then is asked at once.
 */
import { connect } from 'node:net'

const [text = '', interval = '', timeout = ''] = process.argv.slice(2)
const url = new URL(text)
const target = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80), allowHalfOpen: true }
const question = `GET ${url.pathname} HTTP/1.0\r\nHost: ${url.host}\r\n\r\n`
const intervalMs = Number(interval)
/** After a longer stall the pace is given up, rather than asking hundreds at once. */
const MOST_AT_ONCE = 300
/** Whoever cannot keep the pace gets fewer requests: those that wait in ever longer rows would look like lost ones. */
const MOST_OPEN = 100
const FLUSH_MS = 10

const lines: string[] = []
let open = 0

/** Milliseconds since 1970, with fractions. */
const now = () => performance.timeOrigin + performance.now()

function ask(): void {
  open++
  const sent = now()
  let answer = ''
  let over = false
  const socket = connect(target, () => socket.write(question))
  const end = (error?: string) => {
    if (over) return
    over = true
    open--
    clearTimeout(timer)
    socket.resetAndDestroy() // a port would wait for a minute and more here and on the way, and they are 28,000
    lines.push(JSON.stringify({ sent, ended: now(), ...resultOf(answer, error) }))
  }
  const timer = setTimeout(() => end(`no answer within ${timeout} ms`), Number(timeout))
  socket.setEncoding('latin1').on('data', text => {
    answer += text
  })
  socket.on('end', () => end())
  socket.on('error', ({ message }) => end(message))
}

function resultOf(answer: string, error: string | undefined): { body: string; error?: string } {
  const [head = '', ...rest] = answer.split('\r\n\r\n')
  const status = /^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1]
  const body = rest.join('\r\n\r\n').trim()
  if (error !== undefined) return { body, error }
  if (status === undefined) return { body, error: 'the connection ended before an answer' }
  return status === '200' ? { body } : { body, error: `status ${status}` }
}

let next = performance.now()

function pace(): void {
  const time = performance.now()
  if (time - next > MOST_AT_ONCE * intervalMs) next = time
  for (; next <= time; next += intervalMs) if (open < MOST_OPEN) ask()
  setTimeout(pace, next - performance.now())
}

pace()
setInterval(() => {
  if (lines.length > 0) process.stdout.write(`${lines.splice(0).join('\n')}\n`)
}, FLUSH_MS)
