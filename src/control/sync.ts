/** What a handler makes of a change (chapter 01 section 3.3). */
export type SyncResult =
  | 'success'
  /** Done, and every Service must be looked at again. */
  | 'reprocess all'
  /** Transient: try again with back-off. */
  | 'error'
  /** Only new input can cure it. */
  | 'error, no retry'
