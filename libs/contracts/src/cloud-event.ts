import { z } from 'zod';

/** CloudEvents 1.0 in structured JSON: the envelope of everything stored on the bus. */
export const CLOUD_EVENT_CONTENT_TYPE = 'application/cloudevents+json';

/** Extension attributes are lower-case letters and digits, as the specification asks. */
export const CloudEvent = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(200),
  source: z.string().min(1).max(300),
  type: z.string().min(1).max(200),
  subject: z.string().min(1).max(500),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  traceparent: z.string().optional(),
  data: z.unknown(),
});
export type CloudEvent = z.infer<typeof CloudEvent>;

/** Reverse-DNS prefix of our CloudEvents types. */
export const CLOUD_EVENT_TYPE_PREFIX = 'ci.delta.';
