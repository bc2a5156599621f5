/** Chance, from outside: a test gives a seeded one. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  bytes(length: number): Uint8Array
}
