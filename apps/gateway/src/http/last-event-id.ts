import type { Request } from './exchange.ts';
import { refusedWith } from './refused.ts';

/** Where a client that lost its stream wants to go on; null when it has not had one. */
export function lastEventId({ headers }: Pick<Request, 'headers'>): number | null {
  const given = headers['last-event-id'];
  if (given === undefined || given === '') return null;
  if (typeof given === 'string' && /^\d{1,15}$/.test(given)) return Number(given);
  throw refusedWith('invalid_request', 'Last-Event-ID: expected the id of an event of this stream');
}
