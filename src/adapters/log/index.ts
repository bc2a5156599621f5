export { LOG_LEVELS, type LogLevel, parseLogLevel } from './level.ts'
export { JsonLogger } from './logger.ts'
