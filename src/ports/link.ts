/** One attachment to an Ethernet segment, as the inside sees it: whole frames, and never a wait. */
export interface Link {
  /**
   * Puts a whole frame, header first, on the wire; the bytes may be reused at once.
   * @throws where the link is down or gone
   */
  send(frame: Uint8Array): void
  /**
   * Copies the next waiting frame into the buffer, cut to its size, and answers how many bytes it put there;
   * -1 where no frame waits. What this end sent itself does not come back.
   */
  receive(into: Uint8Array): number
  /** How many frames were lost since last asked because they came faster than they were taken. */
  dropped?(): number
  /** Afterwards nothing is received, and sending throws. */
  close(): void
}
