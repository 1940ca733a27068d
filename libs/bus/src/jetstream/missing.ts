import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';

const MISSING: readonly number[] = [JetStreamApiCodes.StreamNotFound, JetStreamApiCodes.ConsumerNotFound];

/** Whether the server says that a stream or consumer is not there. */
export function saysMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && MISSING.includes(error.code);
}
