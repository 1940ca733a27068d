import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { RequestError } from '@nats-io/nats-core';

const MISSING: readonly number[] = [JetStreamApiCodes.StreamNotFound, JetStreamApiCodes.ConsumerNotFound];

/** Whether the server says that a stream or consumer is not there. */
export function saysMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && MISSING.includes(error.code);
}

/** Whether nobody answered: for a publication that means that no stream takes its subject. */
export function nobodyAnswered(error: unknown): boolean {
  const asked = error instanceof Error && error.cause instanceof RequestError ? error.cause : error;
  return asked instanceof RequestError && asked.isNoResponders();
}
