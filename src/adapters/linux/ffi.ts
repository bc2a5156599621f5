/** The only native calls of the project: libc, through koffi. Each thread that needs one declares them for itself. */
import { endianness } from 'node:os'
import koffi from 'koffi'

export const AF_INET = 2
export const AF_INET6 = 10
export const AF_NETLINK = 16
export const AF_PACKET = 17
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_NONBLOCK = 0o4000
export const SOCK_CLOEXEC = 0o2000000
export const MSG_DONTWAIT = 0x40
export const POLLIN = 1

/** The errors callers tell apart. */
export const ERRNO = { EINTR: 4, ENOMEM: 12, EADDRINUSE: 98, ENOBUFS: 105 } as const

const SCHED_FIFO = 1
const SCHED_SETATTR: Readonly<Record<string, number>> = { x64: 314, arm64: 274 }
const EFD_SEMAPHORE = 1

const libc = koffi.load(null) // the program itself, which links the C library whatever its name
const libcSocket = libc.func('int socket(int domain, int type, int protocol)')
const libcBind = libc.func('int bind(int fd, const void *address, uint32_t length)')
const libcSetsockopt = libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)')
const libcGetsockopt = libc.func(
  'int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ uint32_t *length)',
)
const libcClose = libc.func('int close(int fd)')
const libcEventfd = libc.func('int eventfd(unsigned int value, int flags)')
const libcScheduler = libc.func('int sched_setscheduler(int pid, int policy, const void *parameters)')
const libcSyscall = libc.func('long syscall(long number, int pid, const void *attributes, unsigned int flags)')

/** Bytes sent or received, or -1 with the reason in `errno()`. These run once a packet and check nothing. */
export const send: (fd: number, buffer: Uint8Array, length: number, flags: number) => number = libc.func(
  'int send(int fd, const void *buffer, size_t length, int flags)',
)
export const recv: (fd: number, buffer: Uint8Array, length: number, flags: number) => number = libc.func(
  'int recv(int fd, _Out_ void *buffer, size_t length, int flags)',
)
export const sendto: (
  fd: number,
  buffer: Uint8Array,
  length: number,
  flags: number,
  to: Uint8Array,
  toLength: number,
) => number = libc.func(
  'int sendto(int fd, const void *buffer, size_t length, int flags, const void *to, uint32_t toLength)',
)
/** The struct msghdr points to buffers by address: keep references to them. */
export const recvmsg: (fd: number, header: Uint8Array, flags: number) => number = libc.func(
  'int recvmsg(int fd, _Inout_ void *header, int flags)',
)
/** Sleeps for a struct timespec: `poll` knows whole milliseconds only. */
export const ppoll: (descriptors: Uint8Array, count: number, timeout: Uint8Array, mask: null) => number = libc.func(
  'int ppoll(_Inout_ void *descriptors, unsigned long count, const void *timeout, const void *mask)',
)
export const poll: (descriptors: Uint8Array, count: number, timeoutMs: number) => number = libc.func(
  'int poll(_Inout_ void *descriptors, unsigned long count, int timeout)',
)
export const read: (fd: number, buffer: Uint8Array, length: number) => number = libc.func(
  'int read(int fd, _Out_ void *buffer, size_t length)',
)
export const write: (fd: number, buffer: Uint8Array, length: number) => number = libc.func(
  'int write(int fd, const void *buffer, size_t length)',
)

/** Of the last call in this thread. */
export const errno = (): number => koffi.errno()

/** A system call that failed, `code` as in Node's own errors: EPERM, ENODEV, … */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  readonly code: string
  readonly errno: number

  constructor(call: string, number: number) {
    const code = NAMES.get(number) ?? `errno ${number}`
    super(`${call}: ${code}`)
    this.code = code
    this.errno = number
  }
}

const NAMES = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]))

/** A file descriptor, close-on-exec and non-blocking. @throws SystemError */
export function socket(domain: number, type: number, protocol: number): number {
  return checked('socket', libcSocket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol))
}

export function bind(fd: number, address: Uint8Array): void {
  checked('bind', libcBind(fd, address, address.length))
}

export function setsockopt(fd: number, level: number, name: number, value: Uint8Array): void {
  checked('setsockopt', libcSetsockopt(fd, level, name, value, value.length))
}

/** Fills `value`, which is as long as the option is. */
export function getsockopt(fd: number, level: number, name: number, value: Uint8Array): void {
  checked('getsockopt', libcGetsockopt(fd, level, name, value, [value.length]))
}

export function close(fd: number): void {
  libcClose(fd)
}

/** A counter that `poll` finds readable until it was read as often as 1 was written to it. */
export function eventfd(): number {
  return checked('eventfd', libcEventfd(0, EFD_SEMAPHORE | SOCK_NONBLOCK | SOCK_CLOEXEC))
}

/** Where the buffer lies; keep a reference to it while the kernel may follow the address. */
export function addressOf(buffer: Uint8Array): bigint {
  return koffi.address(buffer)
}

/** Real-time scheduling of the calling thread. False where CAP_SYS_NICE is missing. */
export function becomeRealtime(priority: number): boolean {
  return libcScheduler(0, SCHED_FIFO, Int32Array.of(priority)) === 0
}

/**
 * Short turns for the calling thread (sched(7), EEVDF of Linux 6.12 and later; ignored before): it gives up the length of
 * its turns for getting them at once. Needs no privilege. False where the machine's call number is not known to us.
 */
export function takeShortTurns(nanoseconds: number): boolean {
  const number = SCHED_SETATTR[process.arch]
  if (number === undefined) return false
  const attributes = new DataView(new ArrayBuffer(48))
  const little = endianness() === 'LE'
  attributes.setUint32(0, 48, little)
  attributes.setBigUint64(24, BigInt(nanoseconds), little)
  return libcSyscall(number, 0, new Uint8Array(attributes.buffer), 0) === 0
}

function checked(call: string, result: number): number {
  if (result < 0) throw new SystemError(call, errno())
  return result
}
