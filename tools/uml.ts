// Runs test files under Linux 6.1 in user space (Debian's package user-mode-linux), which has VLAN, bond, dummy and VRF
// devices: what skips because "the kernel lacks" them here runs there. It is slow, so waits of tests are made longer.
// Needs root, Debian and x86-64; the first run downloads 41 MB. Not part of CI.
// Run: node tools/uml.ts test/e2e/stacked-interfaces.test.ts
//      node tools/uml.ts --test-name-pattern='a session in a VRF' test/interop/bgp-transport.test.ts
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import koffi from 'koffi'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const HOME = `${ROOT}build/uml/`
const OUTPUT = `${HOME}output`
const KERNEL = `${HOME}usr/bin/linux.uml`
const MODULES = `${HOME}usr/lib/uml/modules/`
const WANTED = ['8021q', 'bonding', 'vrf', 'dummy', 'veth', 'bridge', 'macvlan', 'vxlan', 'nf_tables']
const MINUTES = 10
const GIVE_UP_MS = 90_000
const FINIT_MODULE = 313
const POWER_OFF = 0x4321fedc

if (process.env.INSIDE_UML === '1') inside(process.argv.slice(2))
else process.exitCode = outside(process.argv.slice(2))

function outside(args: readonly string[]): number {
  mkdirSync(HOME, { recursive: true })
  if (!existsSync(KERNEL)) install()
  rmSync(OUTPUT, { force: true })
  writeFileSync(`${HOME}init`, initScript(args), { mode: 0o755 })
  const options = ['mem=3G', 'root=/dev/root', 'rootfstype=hostfs', 'hostfs=/', 'rw', `init=${HOME}init`]
  spawnSync(KERNEL, [...options, 'con=null', 'con0=null,null'], { timeout: MINUTES * 60_000, stdio: 'ignore' })
  const output = existsSync(OUTPUT) ? readFileSync(OUTPUT, 'utf8') : 'the kernel did not start\n'
  process.stdout.write(output)
  return Number(/^exit (\d+)$/m.exec(output)?.[1] ?? 1)
}

function install(): void {
  execFileSync('apt-get', ['download', 'user-mode-linux'], { cwd: HOME, stdio: 'inherit' })
  const archive = readdirSync(HOME).find(name => name.endsWith('.deb'))!
  execFileSync('dpkg', ['-x', archive, '.'], { cwd: HOME })
}

/** The machine's files are its root; what concerns the kernel is its own. */
function initScript(args: readonly string[]): string {
  const quoted = args.map(arg => `'${arg.replaceAll("'", "'\\''")}'`).join(' ')
  return `#!/bin/sh
exec > ${OUTPUT} 2>&1
export PATH=${process.env.PATH} HOME=${process.env.HOME} GIVE_UP_MS=${GIVE_UP_MS} INSIDE_UML=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mkdir -p /run/netns /run/frr /dev/shm
mount -t tmpfs shm /dev/shm
ip link set lo up
cd ${ROOT}
exec ${process.execPath} tools/uml.ts ${quoted}
`
}

function inside(args: readonly string[]): void {
  loadModules()
  const { status } = spawnSync(process.execPath, ['--test', ...args], { stdio: 'inherit' })
  console.log(`exit ${status ?? 1}`)
  koffi.load(null).func('int reboot(int)')(POWER_OFF)
}

function loadModules(): void {
  const folder = `${MODULES}${readdirSync(MODULES)[0]}/`
  const syscall = koffi.load(null).func('long syscall(long number, int fd, const char *parameters, int flags)')
  const open = koffi.load(null).func('int open(const char *path, int flags)')
  const needs = new Map<string, string[]>()
  for (const line of readFileSync(`${folder}modules.dep`, 'utf8').trim().split('\n')) {
    const [module = '', others = ''] = line.split(':')
    needs.set(module, others.trim().split(' ').filter(Boolean))
  }
  const all = [...needs.keys()]
  for (const name of WANTED) {
    const module = all.find(path => path.endsWith(`/${name}.ko`))
    if (module === undefined) throw new Error(`no module ${name} in ${folder}`)
    // Those needed first are last in the list; one that is there already is refused, and that is well.
    for (const path of [...needs.get(module)!.toReversed(), module])
      syscall(FINIT_MODULE, open(folder + path, 0), '', 0)
  }
}
