// Loaded as one module and only when a certificate is made. A bundle gives a dynamic import of a CommonJS package no
// named exports, so the import of the package itself is static here.
import 'reflect-metadata' // @peculiar/x509 does not load without it
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0])

export { x509 }
