/** `metallbctl`: for people. Commands are loaded when they are called, so that each starts quickly. */
import { type Command, EXIT } from './cli/command.ts'

const COMMANDS: Readonly<Record<string, Command>> = {
  convert: {
    synopsis: '-f FILE|DIR|- --to v1beta1|v1beta2 [-o FILE] | configmap -f FILE [-o FILE]',
    summary: 'BGPPeers between their versions; the ConfigMap of MetalLB before 0.13 to objects',
    run: async args => (await import('./cli/convert.ts')).convertCommand(args),
  },
  demo: {
    synopsis: '[--keep] [--nodes N]',
    summary: 'a Service gets an address, the address answers, its node dies, another takes over',
    run: async args => (await import('./cli/demo.ts')).demoCommand(args),
  },
  explain: {
    synopsis: 'service NS/NAME [-f FILE|DIR|-] [--kubeconfig FILE] [--speaker-ca FILE] [-o text|json]',
    summary: 'why a Service has its address or none, and why each node announces it or not',
    run: async args => (await import('./cli/explain.ts')).explainCommand(args),
  },
  lab: {
    synopsis: 'up|status|exec|kill|heal|down …',
    summary: 'a bare-metal cluster in network namespaces on this machine',
    run: async args => (await import('./cli/lab.ts')).labCommand(args),
  },
  plan: {
    synopsis: '-f FILE|DIR|-… | --live [--with CHANGE.yaml] [-o text|json]',
    summary: 'which Service gets which address, and which node announces it; what a change would change',
    run: async args => (await import('./cli/plan.ts')).planCommand(args),
  },
  show: {
    synopsis: 'bgp summary|neighbor [ADDRESS]|ipv4|ipv6|running-config|bfd [--node N] [-o text|json]',
    summary: 'what the speakers tell their BGP peers, and how the sessions are',
    run: async args => (await import('./cli/show.ts')).showCommand(args),
  },
  validate: {
    synopsis: '-f FILE|DIR|-… | --live | --diff -f FILE|DIR|-…',
    summary: 'what is wrong with a configuration, and where; what applying files would change',
    run: async args => (await import('./cli/validate.ts')).validateCommand(args),
  },
}

function help(): string {
  const lines = ['metallbctl explains and exercises MetalLB.', '', 'Commands:']
  for (const [name, { synopsis, summary }] of Object.entries(COMMANDS))
    lines.push(`  ${name} ${synopsis}`, `      ${summary}`)
  return `${lines.join('\n')}\n`
}

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '-h' || name === '--help') {
    process.stdout.write(help())
    return name === undefined ? EXIT.usage : EXIT.ok
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) {
    process.stderr.write(`metallbctl: unknown command "${name}"\n\n${help()}`)
    return EXIT.usage
  }
  return command.run(args)
}

process.exitCode = await main(process.argv.slice(2))
