export { LOG_LEVELS, type LogLevel, parseLogLevel } from './level.ts'
export { JsonLogger, type LoggerOptions } from './logger.ts'
export { isSecretKey, REDACTED } from './value.ts'
