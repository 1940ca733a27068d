import type { BusLog } from './bus.ts';
import { errorSentence } from './consume.ts';

/** Whoever asks chooses subjects below a wildcard, and an error may quote what it was asked: neither fills the log. */
const LOGGED_CHARS_MAX = 500;

/**
 * Answers a request, and does not throw: what `answer` throws is told to our log alone.
 *
 * @returns what `answer` gave; null when it threw, and whoever asked is to hear that and no more
 */
export async function answerOrNull<T>(log: BusLog, subject: string, answer: () => Promise<T>): Promise<T | null> {
  try {
    return await answer();
  } catch (error) {
    const bounded = (text: string): string => text.slice(0, LOGGED_CHARS_MAX);
    log.error({ subject: bounded(subject), reason: bounded(errorSentence(error)) }, 'a request could not be answered');
    return null;
  }
}
