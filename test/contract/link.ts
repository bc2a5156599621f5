// What every Link must do, whatever carries the frames. The owner of a real one hands in both ends of a wire.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Link } from '../../src/ports/index.ts'

export interface LinkPair {
  readonly left: Link
  readonly right: Link
  readonly rightMac: Uint8Array
}

const GIVE_UP_MS = 30_000

/** More frames than any end keeps: packet sockets have room for some 21,800 of them. */
export const LONG_BURST = 50_000

/** An ARP frame of 60 bytes, told apart by its last byte. */
export function frameTo(destination: Uint8Array, mark: number): Uint8Array {
  const frame = new Uint8Array(60).map((_, index) => index)
  frame.set(destination)
  frame.set([2, 0, 0, 0, 0, 1, 8, 6], 6)
  frame[59] = mark
  return frame
}

export const EVERYONE = new Uint8Array(6).fill(0xff)

/** The next frame, once it is there. */
export async function next(link: Link, room = 128): Promise<Uint8Array> {
  const buffer = new Uint8Array(room)
  const end = performance.now() + GIVE_UP_MS
  for (;;) {
    const length = link.receive(buffer)
    if (length >= 0) return buffer.slice(0, length)
    if (performance.now() > end) throw new Error(`no frame within ${GIVE_UP_MS} ms`)
    await pause(1)
  }
}

export function linkContract(
  name: string,
  open: (context: TestContext) => LinkPair,
  skip: string | false = false,
): void {
  const check = (what: string, body: (pair: LinkPair) => Promise<void>) =>
    test(`${name}: ${what}`, { skip }, async context => {
      const pair = open(context)
      await body(pair)
      pair.left.close()
      pair.right.close()
    })

  check('a frame sent at one end arrives whole at the other, and not at its own', async ({ left, right }) => {
    left.send(frameTo(EVERYONE, 1))
    assert.deepEqual(await next(right), frameTo(EVERYONE, 1))
    assert.equal(left.receive(new Uint8Array(128)), -1)
  })

  check('a frame to the other end alone arrives', async ({ left, right, rightMac }) => {
    left.send(frameTo(rightMac, 2))
    assert.deepEqual(await next(right), frameTo(rightMac, 2))
  })

  check('frames go both ways and keep their order', async ({ left, right }) => {
    for (const mark of [1, 2, 3]) left.send(frameTo(EVERYONE, mark))
    for (const mark of [1, 2, 3]) assert.equal((await next(right))[59], mark)
    right.send(frameTo(EVERYONE, 4))
    assert.equal((await next(left))[59], 4)
  })

  check('the sender may use its buffer again at once', async ({ left, right }) => {
    const frame = frameTo(EVERYONE, 1)
    left.send(frame)
    left.send(frame.fill(9, 59))
    assert.deepEqual([(await next(right))[59], (await next(right))[59]], [1, 9])
  })

  check('with nothing waiting it answers -1', async ({ left }) => {
    assert.equal(left.receive(new Uint8Array(128)), -1) // one that waited would wait for ever: nobody sends
  })

  check('a frame longer than the buffer is cut to it', async ({ left, right }) => {
    left.send(frameTo(EVERYONE, 1))
    left.send(frameTo(EVERYONE, 2))
    assert.deepEqual(await next(right, 20), frameTo(EVERYONE, 1).subarray(0, 20))
    assert.equal((await next(right))[59], 2)
  })

  check('an end that is not read loses frames, and works again once it is', async ({ left, right }) => {
    for (let count = 0; count < LONG_BURST; count++) left.send(frameTo(EVERYONE, 7))
    let heard = 0
    for (let mark = 7; mark !== 8; heard++) {
      left.send(frameTo(EVERYONE, 8)) // the first finds no room
      mark = (await next(right))[59]!
    }
    assert.ok(heard < LONG_BURST, `${heard} of ${LONG_BURST}`)
    while (right.receive(new Uint8Array(128)) >= 0);
    left.send(frameTo(EVERYONE, 9)) // behind what is still on its way: the next test shall not hear that
    while ((await next(right))[59] !== 9);
  })

  check('a closed end does not send', async ({ left }) => {
    left.close()
    assert.throws(() => left.send(frameTo(EVERYONE, 1)))
  })
}
