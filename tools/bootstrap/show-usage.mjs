// @ts-check

/**
 * Ends a program that was asked for its usage, or wrongly: the text goes where whoever asked looks, after what is wrong.
 *
 * @param {string} usage
 * @param {string | null} problem null when the usage was asked for
 * @returns {number} the exit code
 */
export function showUsage(usage, problem) {
  if (problem === null) process.stdout.write(usage);
  else process.stderr.write(`delta: ${problem}\n\n${usage}`);
  return problem === null ? 0 : 2;
}
