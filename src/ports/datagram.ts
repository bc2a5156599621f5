/** UDP as the inside sees it. */
export interface Datagram {
  readonly data: Uint8Array
  /** Text form of the sender's address. */
  readonly from: string
  readonly port: number
}

export interface DatagramSocket {
  send(data: Uint8Array, to: string, port: number): void
  receive(listener: (datagram: Datagram) => void): void
  close(): Promise<void>
}
