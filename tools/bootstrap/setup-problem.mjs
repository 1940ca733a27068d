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
    this.missing = oneLine(missing);
  }
}

/** @param {string} text */
export function oneLine(text) {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/**
 * The text of whatever was thrown. Errors are told by their shape: under Jest those of Node are not its test's `Error`.
 *
 * @param {unknown} thrown
 */
export function reasonOf(thrown) {
  const message = fieldOf(thrown, 'message');
  const because = fieldOf(fieldOf(thrown, 'cause'), 'message');
  const said = typeof message === 'string' ? message : String(thrown);
  return oneLine(typeof because === 'string' ? `${said} (${because})` : said);
}

/** The code of a system error, such as `EEXIST`. @param {unknown} thrown */
export function codeOf(thrown) {
  return fieldOf(thrown, 'code');
}

/** @param {unknown} value @param {string} name @returns {unknown} */
function fieldOf(value, name) {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
