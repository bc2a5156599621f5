import { type AdmissionOptions, admissionHandlers } from './admission.ts'
import { convertReview } from './conversion.ts'
import { CONVERSION_PATH } from './endpoints.ts'
import type { Handler } from './review.ts'

export { CONVERSION_PATH, ENDPOINTS, type Endpoint } from './endpoints.ts'
export type { Handler, Reply } from './review.ts'

/** Everything that API servers may call, by path. */
export function webhookHandlers(options: AdmissionOptions): Record<string, Handler> {
  return { ...admissionHandlers(options), [CONVERSION_PATH]: convertReview }
}
