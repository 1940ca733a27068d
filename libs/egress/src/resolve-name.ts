import { Resolver } from 'node:dns/promises';
import type { ResolveName } from './settings.ts';

/** A server of names that does not answer in time is asked once more. */
const ASKED_WITHIN_MS = 4_000;
const TRIES = 2;

/**
 * Asks the servers of names of this host themselves: no search domains, no file of hosts, and none of the few threads in which
 * the system's own resolver would wait for as long as a job likes.
 */
export const resolveName: ResolveName = async (name, signal) => {
  const resolver = new Resolver({ timeout: ASKED_WITHIN_MS, tries: TRIES });
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};
