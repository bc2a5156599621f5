/** A 48-bit MAC address, kept as lower-case text `aa:bb:cc:dd:ee:ff`: comparable and printable as it is. */
export type Mac = string & { readonly kind: 'mac' }

export const BROADCAST = 'ff:ff:ff:ff:ff:ff' as Mac

export function parseMac(text: string): Mac | undefined {
  return /^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(text) ? (text.toLowerCase() as Mac) : undefined
}

export function macBytes(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(':'), part => Number.parseInt(part, 16))
}

/** Reads six bytes from `offset`; the caller has checked that they are there. */
export function macFromBytes(bytes: Uint8Array, offset = 0): Mac {
  const parts: string[] = []
  for (let index = offset; index < offset + 6; index++) parts.push(bytes[index]!.toString(16).padStart(2, '0'))
  return parts.join(':') as Mac
}
