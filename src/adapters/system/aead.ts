import { type CipherGCMTypes, createCipheriv, createDecipheriv } from 'node:crypto'
import type { Aead } from '../../ports/index.ts'

const TAG = 16

/** AES-GCM; a key of 16, 24 or 32 bytes. */
export function aesGcm(key: Uint8Array): Aead {
  const algorithm = `aes-${key.length * 8}-gcm` as CipherGCMTypes
  return {
    seal: (nonce, plaintext, additional) => {
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(additional)
      const text = [cipher.update(plaintext), cipher.final()]
      return new Uint8Array(Buffer.concat([...text, cipher.getAuthTag()]))
    },
    open: (nonce, sealed, additional) => {
      if (sealed.length < TAG) return undefined
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: TAG }).setAAD(additional)
      decipher.setAuthTag(sealed.subarray(-TAG))
      try {
        return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(0, -TAG)), decipher.final()]))
      } catch {
        return undefined
      }
    },
  }
}
