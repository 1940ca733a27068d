import { MsgHdrsImpl } from '@nats-io/nats-core/internal';
import type { MsgHdrs } from '@nats-io/nats-core';
import type { BusHeaders } from '../bus.ts';

/** In place of an answer: whoever was asked failed, and says no more of it. */
export const HEADER_FAILED = 'Delta-Failed';

/** A line break in a value would be read as the next header. */
const LINE_BREAK = /[\r\n]/;

/** @throws TypeError when a value is more than one line */
export function toNatsHeaders(source: BusHeaders): MsgHdrs {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(source)) {
    if (LINE_BREAK.test(value)) throw new TypeError(`the header ${name} has more than one line`);
    headers[name] = [value];
  }
  return MsgHdrsImpl.fromRecord(headers);
}

/** Of a header that was sent several times the first value counts. */
export function fromNatsHeaders(source: MsgHdrs | undefined): BusHeaders {
  const headers: Record<string, string> = {};
  for (const [name, [first = '']] of source ?? []) headers[name] = first;
  return headers;
}
