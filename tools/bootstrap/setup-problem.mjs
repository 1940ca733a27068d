// @ts-check

/**
 * Something this machine lacks. The message is one line that says what is missing and how to get it, so the
 * command line can print it as it is, without a stack.
 */
export class SetupProblem extends Error {
  /**
   * @param {string} missing what is missing, without a full stop
   * @param {string} remedy what the reader can do about it, without a full stop
   */
  constructor(missing, remedy) {
    super(`${oneLine(missing)}: ${oneLine(remedy)}`);
    this.name = 'SetupProblem';
  }
}

/** @param {string} text */
export function oneLine(text) {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** The text of whatever was thrown. @param {unknown} thrown */
export function reasonOf(thrown) {
  if (!(thrown instanceof Error)) return oneLine(String(thrown));
  const cause = thrown.cause instanceof Error ? ` (${thrown.cause.message})` : '';
  return oneLine(thrown.message + cause);
}
