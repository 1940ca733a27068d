import { headers, type MsgHdrs } from '@nats-io/nats-core';
import type { BusHeaders } from '../bus.ts';

export function toNatsHeaders(source: BusHeaders): MsgHdrs {
  const target = headers();
  for (const [name, value] of Object.entries(source)) target.set(name, value);
  return target;
}

/** Of a header that was sent several times the first value counts. */
export function fromNatsHeaders(source: MsgHdrs | undefined): BusHeaders {
  return Object.fromEntries((source?.keys() ?? []).map((name) => [name, source?.get(name) ?? '']));
}
