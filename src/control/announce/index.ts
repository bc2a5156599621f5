export * from './conflicts.ts'
export * from './layer2.ts'
export * from './protocol.ts'
export * from './speaker.ts'
