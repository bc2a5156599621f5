export { x509Certificates } from './x509.ts'
